"""Parses the signal entries of a payload into readings.

Covers the entries of webhooks (fields at the top level, epoch times) and of the v3 REST API (fields under `attributes`,
ISO times). Source: Smartcar documentation, "VEHICLE_STATE Event" and "Signals".
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from smartcar_api.redaction import scrub
from vehicles.catalogue import CATALOGUE, Signal, find
from vehicles.correction_notes import CorrectionNote, encode
from vehicles.normalization import (
    AmbiguousUnitError,
    ImplausibleValueError,
    Normalized,
    NoValueError,
    normalize,
)
from vehicles.observations import NORMALIZATION_ERROR, SignalError, SignalReading, SignalStatus
from vehicles.structured_values import sanitize_json
from vehicles.unit_claims import UnitClaim
from vehicles.unit_judgment import settle_by_payload
from webhooks.parsing.fields import first, items, mapping, signal_like, text, upper
from webhooks.parsing.times import limited_to, not_from_the_future, parse_time

_UNKNOWN_BODY_LIMIT = 4096
# Longer bodies and times aren't cached, so that a process's caches stay small whatever is delivered.
_CACHED_BODY_LIMIT = 512
_CACHED_TIME_LIMIT = 64
_SUCCESS = {"value": SignalStatus.SUCCESS.value}


class Times(NamedTuple):
    """When a value was measured by the vehicle, retrieved by Smartcar, and ingested by Smartcar."""

    oem_updated_at: datetime | None = None
    retrieved_at: datetime | None = None
    ingested_at: datetime | None = None
    notes: tuple[str, ...] = ()


NO_TIMES = Times()


def read_times(meta: Mapping[str, Any], *, latest: datetime | None) -> Times:
    """Returns the times of one signal. `latest` is the time of receipt; later times are implausible."""
    oem_updated, retrieved, ingested = (
        meta.get("oemUpdatedAt"),
        meta.get("retrievedAt"),
        meta.get("ingestedAt"),
    )
    if retrieved is None:
        retrieved = meta.get("fetchedAt")
    raw = (oem_updated, retrieved, ingested)
    moments, times = _moments(*raw) if all(map(_is_short, raw)) else _moments.__wrapped__(*raw)
    if latest is None or all(moment is None or moment <= latest for moment in moments):
        return times
    return plausible_times(*moments, latest)


def _is_short(raw: Any) -> bool:
    """Returns whether a time may be a key of the cache: not a list or an object, nor a long text."""
    return (
        len(raw) <= _CACHED_TIME_LIMIT
        if isinstance(raw, str)
        else raw is None or isinstance(raw, int | float)
    )


Moments = tuple[datetime | None, datetime | None, datetime | None]


@lru_cache(maxsize=16_384)  # each payload repeats all signals with their times
def _moments(oem_updated: Any, retrieved: Any, ingested: Any) -> tuple[Moments, Times]:
    """Returns the three times, and the `Times` to use unless one of them is in the future."""
    moments = parse_time(oem_updated), parse_time(retrieved), parse_time(ingested)
    return moments, plausible_times(*moments, None)


def plausible_times(
    oem_updated: datetime | None,
    retrieved: datetime | None,
    ingested: datetime | None,
    latest: datetime | None,
) -> Times:
    """Returns the times without impossible ones: nothing is known before it happened.

    Smartcar's times aren't after `latest`, the time of receipt. The manufacturer's isn't after Smartcar's, apart from a
    few minutes; a later one is left out with a note.
    """
    retrieved = limited_to(retrieved, latest)
    ingested = limited_to(ingested, latest)
    updated = not_from_the_future(oem_updated, retrieved or ingested or latest)
    notes = (CorrectionNote.TIME_LEFT_OUT.note(),) if oem_updated != updated else ()
    return Times(updated, retrieved, ingested, notes)


def signal_code(reference: Any) -> str:
    """Returns the code of a signal given by code, by "Group.Name", or by an object with either; "" if there is none."""
    if isinstance(reference, str):
        group, dot, name = reference.partition(".")
        known = find(code=reference, group=group, name=name)
        return known.code if known else signal_like(f"{group}-{name}" if dot else reference)
    fields = mapping(reference)
    raw_code = fields.get("code")
    if isinstance(raw_code, str) and raw_code in CATALOGUE:  # nearly always
        return CATALOGUE[raw_code].code
    code, group, name = text(raw_code), text(fields.get("group")), text(fields.get("name"))
    known = find(code=code, group=group, name=name)
    return known.code if known else signal_like(code or (f"{group}-{name}" if group and name else ""))


def read_signals(raw: Any, *, latest: datetime | None) -> tuple[tuple[SignalReading, ...], tuple[str, ...]]:
    """Returns all signals of a payload, and descriptions of the entries that could not be parsed.

    `raw` is a list of entries, or an object of bodies by "Group.Name".
    """
    observations: list[SignalReading] = []
    skipped: list[str] = [] if raw is None or isinstance(raw, list | dict) else ["signals: not a list"]
    for at, entry in enumerate(_entries(raw)):
        observation = _read_entry(entry, latest)
        if observation is None:
            skipped.append(f"signal {at}: no signal code")
        else:
            observations.append(observation)
    return settle_by_payload(observations), tuple(skipped)


def _entries(raw: Any) -> Iterable[Any]:
    if isinstance(raw, dict):
        return [{"code": signal_code(key), "body": body} for key, body in raw.items()]
    return items(raw)


def _read_entry(entry: Any, latest: datetime | None) -> SignalReading | None:
    fields = mapping(entry)
    if "attributes" in fields:
        fields = {**fields, **mapping(fields["attributes"])}
    code = signal_code(fields)
    if not code:
        return None
    status, error = read_status(fields)
    times = read_times(mapping(fields.get("meta")), latest=latest)
    return observe(code, fields.get("body"), status=status, error=error, times=times)


def read_status(fields: Mapping[str, Any]) -> tuple[SignalStatus, SignalError | None]:
    """Returns an entry's status and error. Without a status, an error or a body determines it."""
    raw = fields.get("status")
    if raw == _SUCCESS and "error" not in fields:  # nearly always
        return SignalStatus.SUCCESS, None
    status = raw if isinstance(raw, dict) else {"value": raw}
    error = status.get("error") or fields.get("error")
    value = upper(status.get("value"))
    if value == SignalStatus.ERROR or (isinstance(error, dict) and value != SignalStatus.UNAVAILABLE):
        return SignalStatus.ERROR, read_error(error)
    if value == SignalStatus.SUCCESS or (not value and fields.get("body") is not None):
        return SignalStatus.SUCCESS, None
    return SignalStatus.UNAVAILABLE, read_error(error) if error else None


def read_error(raw: Any) -> SignalError:
    """Parses the error of a signal. v3 has its description under `detail`, older payloads under `description`."""
    error = mapping(raw)
    return SignalError(
        type=upper(error.get("type")) or "UNKNOWN",
        code=upper(error.get("code")) or None,
        description=scrub(text(first(error, "detail", "description"), 500)),
        resolution_type=read_resolution_type(error.get("resolution")),
    )


def read_resolution_type(raw: Any) -> str | None:
    """Returns the type of a resolution, which is an object or plain text."""
    return upper(raw if isinstance(raw, str) else mapping(raw).get("type")) or None


def observe(
    code: str,
    body: Any,
    *,
    status: SignalStatus = SignalStatus.SUCCESS,
    error: SignalError | None = None,
    times: Times = NO_TIMES,
) -> SignalReading:
    """Returns the reading of one signal, with its body normalized.

    An implausible value becomes an error of type NORMALIZATION_ERROR, an empty one has the status UNAVAILABLE.
    """
    canonical: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    claim: UnitClaim | None = None
    if status is SignalStatus.SUCCESS:
        try:
            canonical, notes, claim = _canonical(CATALOGUE.get(code), body)
        except NoValueError as no_value:
            status, notes = SignalStatus.UNAVAILABLE, (encode(no_value.reason),)
        except ImplausibleValueError as implausible:
            status, notes = SignalStatus.ERROR, (encode(implausible.reason),)
            error = SignalError(NORMALIZATION_ERROR, description=encode(implausible.reason))
            claim = implausible.claim if isinstance(implausible, AmbiguousUnitError) else None
    return SignalReading(
        code=code,
        status=status,
        body=canonical,
        error=error,
        oem_updated_at=times.oem_updated_at,
        retrieved_at=times.retrieved_at,
        ingested_at=times.ingested_at,
        notes=notes + times.notes,
        claim=claim,
    )


Canonical = tuple[dict[str, Any], tuple[str, ...], UnitClaim | None]


def _canonical(signal: Signal | None, body: Any) -> Canonical:
    if body is None:
        raise NoValueError(CorrectionNote.NO_BODY.message())
    if signal is None:
        return _unknown(body), (CorrectionNote.UNKNOWN_SIGNAL.note(),), None
    if not isinstance(body, dict):
        normalized = normalize(signal, {"value": body})
        notes = (CorrectionNote.SENT_WITHOUT_BODY.note(), *normalized.notes)
        return normalized.body, notes, normalized.claim
    key = _cache_key(body)
    normalized = _normalize_cached(signal.code, key) if key else normalize(signal, body)
    return normalized.body, normalized.notes, normalized.claim


def _cache_key(body: dict[str, Any]) -> bytes:
    """Returns the body as JSON, or b"" if it is nested too deeply, or longer than what may be cached."""
    try:
        key = orjson.dumps(body)
    except TypeError:
        return b""
    return key if len(key) <= _CACHED_BODY_LIMIT else b""


@lru_cache(maxsize=16_384)  # each payload repeats all signals, and many values are the same in other vehicles
def _normalize_cached(code: str, body: bytes) -> Normalized:
    """Returns the normalized body. Callers must not modify it."""
    return normalize(CATALOGUE[code], orjson.loads(body))


def _unknown(body: Any) -> dict[str, Any]:
    """Returns the body of an unknown signal as received, within bounds."""
    sanitized = sanitize_json(body if isinstance(body, dict) else {"value": body})
    if len(orjson.dumps(sanitized)) > _UNKNOWN_BODY_LIMIT:
        raise ImplausibleValueError(CorrectionNote.UNKNOWN_SIGNAL_TOO_LARGE.message())
    return dict(sanitized)
