"""Display texts of audit log entries, in the active language."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit import AuditEvent, AuditObject
from accounts.models import AuditLogEntry, Role, SmartcarApiVersion, UnitSystem
from accounts.tokens.scopes import TokenScope
from commands.models import ReasonRequirement
from commands.types import CommandType
from connect.offboarding.models import ErasureScope
from connect.scopes import with_reasons
from connect.status.states import AuthorizationPurpose
from vehicles.makes import make_name

_VEHICLE_FIELDS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "plate": gettext_lazy("Plate"),
    "group": gettext_lazy("Group"),
    "driver": gettext_lazy("Driver"),
    "unit_system": gettext_lazy("Units"),
}
_SETTINGS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "legal_name": gettext_lazy("Legal name"),
    "contact_email": gettext_lazy("Contact email for drivers"),
    "privacy_notice_url": gettext_lazy("Privacy notice (address)"),
    "unit_system": gettext_lazy("Units"),
    "time_zone": gettext_lazy("Time zone"),
    "raw_retention_months": gettext_lazy("Keep raw readings for (months)"),
    "rollup_retention_months": gettext_lazy("Keep hourly and daily summaries for (months)"),
}


def event_label(entry: AuditLogEntry) -> str:
    """Returns the event's label, or the stored code if this version doesn't know it."""
    return str(AuditEvent(entry.event).label) if entry.event in AuditEvent.values else entry.event or "–"


def object_label(entry: AuditLogEntry) -> str:
    """Returns the object's kind with its name or ID; "" if the entry is about the fleet itself."""
    if entry.object_type not in AuditObject.values:
        return ""
    kind = str(AuditObject(entry.object_type).label)
    name = entry.data.get("name") or entry.object_id
    return f"{kind}: {name}" if name else kind


def entry_details(entry: AuditLogEntry) -> list[str]:
    """Returns further details from the entry's data: new values, counts, or that the driver did it."""
    # The database doesn't preserve the order of JSON keys.
    known = [*_READERS, "calls"]
    return [detail for key in known if key in entry.data for detail in _detail(key, entry.data[key])]


def _detail(key: str, value: Any) -> Iterator[str]:
    if key in _READERS and value not in (None, "", False):
        yield _READERS[key](value)
    elif key == "calls":
        yield _calls(value)


def _calls(value: int | None) -> str:
    if value is None:
        return _("Default limit")
    if value == 0:
        return _("No limit")
    return ngettext("%(count)d API call per month", "%(count)d API calls per month", value) % {"count": value}


def _scopes(names: Iterable[str]) -> str:
    return ", ".join(_(scope.title) for scope in with_reasons(names))


def _choice(labels: Mapping[str, Any]) -> Callable[[Any], str]:
    return lambda value: str(labels.get(value, value))


_TOKEN_SCOPES: Mapping[str, Any] = dict(TokenScope.choices)
_VALUES: Mapping[str, Any] = {
    **dict(UnitSystem.choices),
    **dict(SmartcarApiVersion.choices),
    **dict(ReasonRequirement.choices),
}
_READERS: Mapping[str, Callable[[Any], str]] = {
    "field": _choice(_SETTINGS),
    "role": _choice(dict(Role.choices)),
    "command": _choice(dict(CommandType.choices)),
    "scope": _choice(dict(ErasureScope.choices)),
    "fields": lambda names: ", ".join(str(_VEHICLE_FIELDS.get(name, name)) for name in names),
    "from": lambda value: _("Previous: %(value)s") % {"value": _VALUES.get(value, value)},
    "to": lambda value: _("New: %(value)s") % {"value": _VALUES.get(value, value)},
    "added": lambda names: _("Added: %(names)s") % {"names": _scopes(names)},
    "removed": lambda names: _("Removed: %(names)s") % {"names": _scopes(names)},
    "purpose": _choice(dict(AuthorizationPurpose.choices)),
    "make": make_name,
    "drivers": lambda count: ngettext("%(count)d driver", "%(count)d drivers", count) % {"count": count},
    "vehicles": lambda count: ngettext("%(count)d vehicle", "%(count)d vehicles", count) % {"count": count},
    "migrated": lambda count: _("%(count)d migrated") % {"count": count},
    "skipped": lambda count: _("%(count)d skipped") % {"count": count},
    "service_account": lambda name: _("Service account: %(name)s") % {"name": name},
    "token_scopes": lambda scopes: ", ".join(str(_TOKEN_SCOPES.get(scope, scope)) for scope in scopes),
    "model": str,
    "admin_fields": ", ".join,
    "action": str,
    "by_driver": lambda _value: _("By the driver"),
    "enabled": lambda _value: _("Turned on"),
    "quiet_hours": lambda hours: _("Quiet hours: %(hours)s") % {"hours": hours},
    "page": lambda number: _("Driver page %(number)s") % {"number": number},
    "link_by": lambda person: _("Link created by %(person)s") % {"person": person},
    "sends_commands": lambda _value: _("Can send commands to vehicles"),
    "text": str,
    "target": str,
}
