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
from vehicles.erasure import PLACE_CODES
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.parsing import Malformed, parse_delivery
from webhooks.webhook_log.visibility import LogScope

# Not translated: these are part of JSON that the API returns as well.
HIDDEN = "(hidden)"
TOO_DEEP = "(nested too deeply to be shown)"
_DEEPEST = 40
_LONGEST = 60_000
_PLACE_KEYS = frozenset(
    [
        "latitude",
        "longitude",
        "lat",
        "lng",
        "lon",
        "location",
        "address",
        "heading",
        "direction",
        "coordinates",
        "place",
    ]
)
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
    """A body to show. `content` is the masked JSON, or None for the reason in `why`."""

    content: Any
    why: str
    hidden: bool = False

    @property
    def text(self) -> str:
        """The content as indented JSON, truncated if it is very long; "" if there is none."""
        if self.content is None:
            return ""
        laid_out = json.dumps(self.content, indent=2, ensure_ascii=False)
        return laid_out if len(laid_out) <= _LONGEST else f"{laid_out[:_LONGEST]}\n{_('… and more')}"


def payload_for(*, entry: InboxEntry, scope: LogScope) -> Payload:
    """Returns the entry's body as viewers with this scope may see it."""
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
    reveal = _reveal(entry, scope)
    masked = mask(content, reveal=reveal)
    return Payload(masked, "", hidden=masked != content)


def _all_of_fleet(entry: InboxEntry, scope: LogScope) -> bool:
    if entry.source != Source.WEBHOOK:
        return True
    try:
        delivery = parse_delivery(bytes(entry.body), received_at=entry.received_at)
    except Malformed:
        return False
    named = {report.facts.smartcar_id for report in delivery.reports}
    return Vehicle.objects.filter(fleet=scope.fleet, smartcar_id__in=named).count() == len(named)


def _reveal(entry: InboxEntry, scope: LogScope) -> Reveal:
    if scope.fleet is None:
        return Reveal(place=False, vin=False)
    recorded = entry.state == EntryState.PROCESSED
    return Reveal(place=recorded and not _place_hidden(entry), vin=True)


def _place_hidden(entry: InboxEntry) -> bool:
    """Returns whether a driver, in any fleet, hides the vehicle's location at the time of receipt."""
    vehicles = Vehicle.objects.filter(smartcar_id=entry.smartcar_vehicle_id).values_list("pk", flat=True)
    ids = list(vehicles)
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
    return (not reveal.place and plain in _PLACE_KEYS) or (not reveal.vin and plain in _VIN_KEYS)


def _is_secret_body(content: Mapping[str, Any], reveal: Reveal) -> bool:
    """Returns whether the object is a signal, or the response of a path, whose whole body must be hidden."""
    path, code = content.get("path"), _signal_code(content)
    place = code in PLACE_CODES or path in _PLACE_PATHS
    vin = code == catalogue.VIN.code or path in _VIN_PATHS
    return (place and not reveal.place) or (vin and not reveal.vin)


def _signal_code(content: Mapping[str, Any]) -> str:
    named = {key: content.get(key) for key in ("code", "group", "name")}
    signal = catalogue.find(**{key: value for key, value in named.items() if isinstance(value, str)})
    return signal.code if signal else ""
