"""How notices begin, end and are taken in hand. Callers say what holds; whether it is news is settled here."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Fleet, User
from alerts.models import FleetRules, Notice
from alerts.types import REMEMBERED, Condition, Kind

_Key = tuple[str, int, int]
_CHANGING = ["level", "facts", "news_at", "posted_at", "acknowledged_at", "acknowledged_by", "ended_at"]


def begin(*, conditions: Iterable[Condition], now: datetime) -> int:
    """These conditions hold: each has an open notice now. Returns how many are news.

    One that has a notice already changes nothing, unless it has grown worse; one that was over only a while ago is
    the same notice, which goes on. Any number in four queries. Kinds that the fleet does not watch are left out.
    """
    wanted = {_key(each): each for each in _watched(list(conditions))}
    return _begin(wanted, now=now) if wanted else 0


def end(*, kind: Kind, subjects: Collection[int], now: datetime) -> int:
    """These conditions are over. Returns how many notices that ends."""
    return _end(Notice.objects.filter(kind=kind, subject__in=list(subjects)), now=now) if subjects else 0


def end_of_cars(*, vehicle_ids: Collection[int], now: datetime) -> int:
    """These cars have left: nothing about them needs anybody."""
    return _end(Notice.objects.filter(vehicle_id__in=list(vehicle_ids)), now=now) if vehicle_ids else 0


def end_of_fleet(*, fleet: Fleet, kinds: Collection[Kind], now: datetime) -> int:
    """The fleet does not watch these kinds any more."""
    return _end(Notice.objects.filter(fleet=fleet, kind__in=list(kinds)), now=now) if kinds else 0


def acknowledge(
    *, fleet: Fleet, kinds: Iterable[Kind], user: User, now: datetime, notice_id: int | None = None
) -> int:
    """Somebody has the fleet's open notices of these kinds in hand, or the one of this id. Returns how many that
    were due."""
    due = Notice.objects.filter(fleet=fleet, ended_at=None, acknowledged_at=None)
    if notice_id is not None:
        due = due.filter(pk=notice_id)
    # Each kind by itself: whoever records a batch of deliveries holds notices of one kind after another.
    return sum(due.filter(kind=kind).update(acknowledged_at=now, acknowledged_by=user) for kind in kinds)


@transaction.atomic
def _begin(wanted: Mapping[_Key, Condition], *, now: datetime) -> int:
    held = _held(wanted.values(), now=now)
    news = 0
    changed: list[Notice] = []
    for key, notice in held.items():
        news += wanted[key].level > notice.level
        if _go_on(notice, wanted[key], now=now):
            changed.append(notice)
    Notice.objects.bulk_update(changed, _CHANGING)
    # In one order for all, so that two that begin the same wait for each other; the later finds it begun.
    fresh = [wanted[key] for key in sorted(wanted.keys() - held.keys())]
    Notice.objects.bulk_create([_new(each, now=now) for each in fresh], ignore_conflicts=True)
    return news + len(fresh)


def _end(notices: QuerySet[Notice], *, now: datetime) -> int:
    with transaction.atomic():
        held = notices.filter(ended_at=None).order_by("pk").select_for_update(no_key=True)
        ids = list(held.values_list("pk", flat=True))
        return Notice.objects.filter(pk__in=ids).update(ended_at=now) if ids else 0


def _watched(conditions: list[Condition]) -> list[Condition]:
    if not conditions:
        return []
    rules = FleetRules.objects.filter(fleet_id__in={each.fleet_id for each in conditions})
    kinds = dict(rules.values_list("fleet_id", "kinds"))
    return [each for each in conditions if each.kind in kinds.get(each.fleet_id, Kind.values)]


def _held(conditions: Collection[Condition], *, now: datetime) -> dict[_Key, Notice]:
    """The open notice of each of these, or the one that was over so lately that it goes on."""
    lately = Q()
    for kind, pause in REMEMBERED.items():
        lately |= Q(kind=kind) & (Q(ended_at=None) | Q(ended_at__gt=now - pause))
    found = Notice.objects.filter(
        lately,
        kind__in={each.kind for each in conditions},
        subject__in={each.subject for each in conditions},
        fleet_id__in={each.fleet_id for each in conditions},
    )
    wanted = {_key(each) for each in conditions}
    held: dict[_Key, Notice] = {}
    # An open one is the newest of its subject.
    for notice in found.order_by("pk").select_for_update(no_key=True):
        key = (notice.kind, notice.subject, notice.fleet_id)
        if key in wanted:
            held[key] = notice
    return held


def _go_on(notice: Notice, condition: Condition, *, now: datetime) -> bool:
    """Whether this changes the notice. Worse than it ever was is news again, whoever had it in hand."""
    worse = condition.level > notice.level
    if notice.open and not worse and notice.facts == condition.facts:
        return False
    notice.ended_at, notice.facts = None, condition.facts
    if worse:
        notice.level, notice.news_at, notice.posted_at = condition.level, now, None
        notice.acknowledged_at = notice.acknowledged_by = None
    return True


def _new(condition: Condition, *, now: datetime) -> Notice:
    return Notice(
        fleet_id=condition.fleet_id,
        kind=condition.kind,
        vehicle_id=condition.vehicle_id,
        subject=condition.subject,
        level=condition.level,
        facts=condition.facts,
        opened_at=now,
        news_at=now,
    )


def _key(condition: Condition) -> _Key:
    return (condition.kind.value, condition.subject, condition.fleet_id)
