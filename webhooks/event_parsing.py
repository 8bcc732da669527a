"""Parses inbox entries and matches them to our vehicles.

Entries that can't be recorded get a final state and a note with the reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connect.models import Connection, ConnectionState
from core.json_reading import read_json
from core.message_codes import Message
from webhooks import keys
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.parsing import Malformed, parse_delivery, parse_v2_batch, parse_v3_signals
from webhooks.parsing.types import VEHICLE_ERROR, VEHICLE_STATE, Delivery

FETCHED = "fetched"
_NOTHING = Message()


@dataclass(slots=True)
class ParsedMessage:
    """A parsed delivery that concerns vehicles of ours. `vehicles` maps Smartcar's vehicle IDs to our IDs."""

    entry: InboxEntry
    delivery: Delivery
    vehicles: dict[str, list[int]]

    @property
    def replayed(self) -> bool:
        """Whether the entry was processed before."""
        return self.entry.processed_at is not None

    def vehicle_ids(self) -> Iterator[int]:
        """Yields the IDs of our vehicles in the delivery."""
        for report in self.delivery.reports:
            yield from self.vehicles.get(report.facts.smartcar_id, ())


def parse_all(entries: Sequence[InboxEntry]) -> list[ParsedMessage]:
    """Returns the entries with something to record. Event ID, type, vehicle, state and note are set on all of them."""
    return _with_known_vehicles(
        _without_duplicates([pair for entry in entries if (pair := _parse_entry(entry))])
    )


def get_smartcar_vehicle_id(entry: InboxEntry) -> str:
    """Returns Smartcar's ID of the vehicle in a delivery, or "" if it can't be read."""
    try:
        reports = _parse(entry).reports
    except Exception:  # noqa: BLE001  parsing may be what failed
        return ""
    return reports[0].facts.smartcar_id[:128] if reports else ""


def quarantine(entry: InboxEntry, state: EntryState, note: Message = _NOTHING) -> None:
    """Sets the entry's state and note."""
    entry.state = state
    entry.set_note(note)


def _parse_entry(entry: InboxEntry) -> tuple[InboxEntry, Delivery] | None:
    """Returns the entry with its parsed delivery, or None (with state and note set) if there is nothing to record."""
    try:
        delivery = _parse(entry)
    except Malformed as malformed:
        quarantine(entry, EntryState.DEAD, malformed.reason.message())
        return None
    if delivery.repairs:
        entry.set_note(DeliveryNote.DAMAGED.message(repairs=delivery.repairs))
    entry.event_id = delivery.event_id[:128]
    entry.event_type = delivery.event_type[:40]
    if delivery.reports:
        entry.smartcar_vehicle_id = delivery.reports[0].facts.smartcar_id[:128]
    if delivery.mode == "test":
        quarantine(entry, EntryState.TEST, DeliveryNote.TEST.message())
        return None
    if delivery.event_type not in (VEHICLE_STATE, VEHICLE_ERROR):
        quarantine(entry, EntryState.QUARANTINED, DeliveryNote.UNKNOWN_TYPE.message())
        return None
    return entry, delivery


def _parse(entry: InboxEntry) -> Delivery:
    if entry.source == Source.WEBHOOK:
        return parse_delivery(bytes(entry.body), received_at=entry.received_at)
    parse = parse_v2_batch if entry.source == Source.PULL_V2 else parse_v3_signals
    document = read_json(bytes(entry.body))
    report = parse(document.value, vehicle_id=entry.smartcar_vehicle_id, received_at=entry.received_at)
    return Delivery(
        event_id=f"pull:{entry.pk}",
        event_type=VEHICLE_STATE,
        reports=(report,),
        repairs=document.repairs,
    )


def _without_duplicates(pairs: list[tuple[InboxEntry, Delivery]]) -> list[tuple[InboxEntry, Delivery]]:
    ids = [entry.event_id for entry, _ in pairs]
    seen = set(
        InboxEntry.objects.filter(event_id__in=ids, state=EntryState.PROCESSED).values_list(
            "event_id", flat=True
        )
    )
    new = []
    for entry, delivery in pairs:
        if entry.event_id in seen:
            quarantine(entry, EntryState.DUPLICATE)
        else:
            seen.add(entry.event_id)
            new.append((entry, delivery))
    return new


def _with_known_vehicles(pairs: list[tuple[InboxEntry, Delivery]]) -> list[ParsedMessage]:
    known = _find_vehicles({report.facts.smartcar_id for _, delivery in pairs for report in delivery.reports})
    parsed = []
    for entry, delivery in pairs:
        vehicles = known.get(_trusted_source(entry), {})
        if any(report.facts.smartcar_id in vehicles for report in delivery.reports):
            parsed.append(ParsedMessage(entry, delivery, vehicles))
        else:
            quarantine(entry, EntryState.QUARANTINED, DeliveryNote.UNKNOWN_VEHICLE.message())
    return parsed


def _trusted_source(entry: InboxEntry) -> int | str | None:
    """Returns the source to trust: FETCHED for an API response, else the application whose key signed the delivery."""
    return keys.get_application_id(entry) if entry.source == Source.WEBHOOK else FETCHED


def _find_vehicles(smartcar_ids: set[str]) -> dict[int | str | None, dict[str, list[int]]]:
    """Returns the IDs of our vehicles by Smartcar's vehicle ID, for each source that is trusted with them.

    A signature is valid only for vehicles connected through its application. The operator of that application has its
    key, and must not be able to send data about other fleets' vehicles.
    """
    connections = Connection.objects.exclude(state=ConnectionState.REMOVED).filter(
        vehicle__smartcar_id__in=smartcar_ids
    )
    known: dict[int | str | None, dict[str, list[int]]] = {}
    rows = connections.order_by("vehicle_id").values_list(
        "vehicle__smartcar_id", "vehicle_id", "application_id"
    )
    for smartcar_id, vehicle_id, application_id in rows:
        for source in (FETCHED, application_id):
            ids = known.setdefault(source, {}).setdefault(smartcar_id, [])
            if vehicle_id not in ids:
                ids.append(vehicle_id)
    return known
