"""Entries of VEHICLE_ERROR events. Source: Smartcar documentation, "VEHICLE_ERROR Event"."""

from collections.abc import Mapping
from typing import Any

from smartcar_api.redaction import scrub
from webhooks.parsing.fields import first, items, mapping, text, upper
from webhooks.parsing.signals import read_resolution_type, signal_code
from webhooks.parsing.types import ReportedError

# Real events have one or a few. Each error is compared with stored ones, while its batch waits.
_ERRORS_LIMIT = 50
_SIGNALS_LIMIT = 200


def read_errors(raw: Any) -> tuple[tuple[ReportedError, ...], tuple[str, ...]]:
    """Returns the errors of a payload, within bounds, and descriptions of the entries that were left out."""
    errors: list[ReportedError] = []
    skipped: list[str] = [] if raw is None or isinstance(raw, list) else ["errors: not a list"]
    entries = items(raw)
    if len(entries) > _ERRORS_LIMIT:
        skipped.append(f"errors: {len(entries) - _ERRORS_LIMIT} too many")
    for at, entry in enumerate(entries[:_ERRORS_LIMIT]):
        if upper(mapping(entry).get("type")):
            errors.append(_read_entry(entry))
        else:
            skipped.append(f"error {at}: it has no type")
    return tuple(errors), tuple(skipped)


def _read_entry(entry: Mapping[str, Any]) -> ReportedError:
    codes = [
        code for reference in items(entry.get("signals"))[:_SIGNALS_LIMIT] if (code := signal_code(reference))
    ]
    return ReportedError(
        type=upper(entry.get("type")),
        code=upper(entry.get("code")) or None,
        state="RESOLVED" if upper(entry.get("state")) == "RESOLVED" else "ERROR",
        description=scrub(text(first(entry, "detail", "description"), 1000)),
        suggested_user_message=scrub(text(entry.get("suggestedUserMessage"), 1000)),
        resolution_type=read_resolution_type(entry.get("resolution")),
        resolution_url=_web_address(mapping(entry.get("resolution")).get("url")),
        doc_url=_web_address(first(entry, "docURL", "docUrl")),
        signals=tuple(dict.fromkeys(codes)),
    )


def _web_address(raw: Any) -> str:
    """Returns an https URL, which pages may link to, or "" for anything else."""
    address = text(raw, 2001)
    return address if address.startswith("https://") and len(address) <= 2000 else ""
