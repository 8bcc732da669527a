"""Shows the body of a delivery, formatted and without data that the viewer must not see.

A location is shown only for a delivery that was processed, since only then was it checked against the driver's privacy
settings (connect.driver_portal.privacy), and only while the driver doesn't hide it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from connect.driver_portal import privacy
from core.json_reading import read_json
from vehicles import catalogue
from vehicles.location_privacy import PLACE_PREFIX, is_location, is_place_key
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.parsing import Malformed, parse_delivery
from webhooks.webhook_log.visibility import LogScope

# Not translated: these are part of JSON that the API returns as well.
HIDDEN = "(hidden)"
TOO_DEEP = "(nested too deeply to be shown)"
_DEEPEST = 40
_LONGEST = 60_000
# In older payloads, signals are keys: "Location.PreciseLocation".
_PLACE_GROUP = ("location.", PLACE_PREFIX)
_PLACE_PATHS = ("/location",)
_VIN_KEYS = frozenset({"vin"})
_VIN_PATHS = ("/vin",)
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")


@dataclass(frozen=True, slots=True)
class Reveal:
    """Which sensitive parts of a body the viewer may see."""

    place: bool
    vin: bool


@dataclass(frozen=True, slots=True)
class Payload:
    """A body to show. `content` is the masked JSON, or None for the reason in `why`.

    `hidden` is whether a location is masked, `vin_hidden` whether a VIN is.
    """

    content: Any
    why: str
    hidden: bool = False
    vin_hidden: bool = False

    @property
    def text(self) -> str:
        """The content as indented JSON, truncated if it is very long; "" if there is none."""
        if self.content is None:
            return ""
        laid_out = json.dumps(self.content, indent=2, ensure_ascii=False)
        return laid_out if len(laid_out) <= _LONGEST else f"{laid_out[:_LONGEST]}\n{_('… and more')}"


def payload_for(*, entry: InboxEntry, scope: LogScope, with_vin: bool = False) -> Payload:
    """Returns the entry's body as viewers with this scope may see it.

    VINs are masked unless a member of the fleet has asked for them (`with_vin`), which is recorded in the audit log.
    """
    raw = bytes(entry.body)
    if not raw:
        return Payload(None, _("The body wasn't stored."))
    try:
        content = read_json(raw).value
    except ValueError:
        why = _("The body isn't JSON (%(bytes)s bytes). Its contents are unknown, so it isn't shown.")
        return Payload(None, why % {"bytes": number_format(len(raw), force_grouping=True)})
    if scope.fleet is not None and not _all_of_fleet(entry, scope):
        return Payload(
            None, _("This delivery also includes vehicles from other fleets, so its body isn't shown.")
        )
    reveal = _reveal(entry, scope, with_vin=with_vin)
    masked = mask(content, reveal=reveal)
    return Payload(
        masked,
        "",
        hidden=mask(content, reveal=Reveal(place=reveal.place, vin=True)) != content,
        vin_hidden=mask(content, reveal=Reveal(place=True, vin=reveal.vin)) != content,
    )


def _all_of_fleet(entry: InboxEntry, scope: LogScope) -> bool:
    if entry.source != Source.WEBHOOK:
        return True
    try:
        named = _named_vehicles(entry)
    except Malformed:
        return False
    return Vehicle.objects.filter(fleet=scope.fleet, smartcar_id__in=named).count() == len(named)


def _named_vehicles(entry: InboxEntry) -> set[str]:
    """Returns Smartcar's IDs of the vehicles in a delivery; none for an API response. Raises Malformed."""
    if entry.source != Source.WEBHOOK:
        return set()
    delivery = parse_delivery(bytes(entry.body), received_at=entry.received_at)
    return {report.facts.smartcar_id for report in delivery.reports}


def _reveal(entry: InboxEntry, scope: LogScope, *, with_vin: bool) -> Reveal:
    if scope.fleet is None:
        return Reveal(place=False, vin=False)
    recorded = entry.state == EntryState.PROCESSED
    return Reveal(place=recorded and not _place_hidden(entry), vin=with_vin)


def contains_location(raw: bytes) -> bool:
    """Returns whether a stored body contains a location, or can't be read."""
    try:
        content = read_json(raw).value
    except ValueError:
        return True
    return bool(mask(content, reveal=Reveal(place=False, vin=True)) != content)


def _place_hidden(entry: InboxEntry) -> bool:
    """Returns whether a driver, in any fleet, hides the location of one of its vehicles at the time of receipt."""
    named = _named_vehicles(entry) | {entry.smartcar_vehicle_id}
    ids = list(Vehicle.objects.filter(smartcar_id__in=named).values_list("pk", flat=True))
    rules = privacy.privacy_for_vehicle(vehicle_ids=ids, now=timezone.now())
    return any(rules.is_hidden(each, at=entry.received_at) for each in ids)


def mask(content: Any, *, reveal: Reveal, depth: int = _DEEPEST) -> Any:
    """Replaces what must not be shown with HIDDEN: by key, by signal, by path, and by pattern (VINs).

    What is nested deeper than in any real delivery is replaced with TOO_DEEP.
    """
    if isinstance(content, Mapping | list) and not depth:
        return TOO_DEEP
    if isinstance(content, Mapping):
        return _mask_object(content, reveal, depth - 1)
    if isinstance(content, list):
        return [mask(each, reveal=reveal, depth=depth - 1) for each in content]
    if isinstance(content, str) and not reveal.vin:
        return _VIN.sub(HIDDEN, content)
    return content


def _mask_object(content: Mapping[str, Any], reveal: Reveal, depth: int) -> dict[str, Any]:
    masked = {
        key: HIDDEN
        if value is not None and _is_secret_key(key, reveal)
        else mask(value, reveal=reveal, depth=depth)
        for key, value in content.items()
    }
    if masked.get("body") is not None and _is_secret_body(content, reveal):
        masked["body"] = HIDDEN
    return masked


def _is_secret_key(key: str, reveal: Reveal) -> bool:
    plain = key.lower()
    place = is_place_key(key) or plain.startswith(_PLACE_GROUP)
    return (place and not reveal.place) or (plain in _VIN_KEYS and not reveal.vin)


def _is_secret_body(content: Mapping[str, Any], reveal: Reveal) -> bool:
    """Returns whether the object is a signal, or the response of a path, whose whole body must be hidden."""
    path, code = content.get("path"), _signal_code(content)
    place = is_location(code) or path in _PLACE_PATHS
    vin = code == catalogue.VIN.code or path in _VIN_PATHS
    return (place and not reveal.place) or (vin and not reveal.vin)


def _signal_code(content: Mapping[str, Any]) -> str:
    named = {key: content.get(key) for key in ("code", "group", "name")}
    signal = catalogue.find(**{key: value for key, value in named.items() if isinstance(value, str)})
    if signal is not None:
        return signal.code
    return named["code"].lower() if isinstance(named["code"], str) else _grouped(named)


def _grouped(named: Mapping[str, Any]) -> str:
    """Returns the code of a signal that is given by group and name; "" if there is none."""
    return f"{named['group']}-{named['name']}".lower() if named["group"] and named["name"] else ""
