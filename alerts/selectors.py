"""Reading notices, always as far as a member may hear of them."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet

from accounts.models import Fleet, Membership, User
from alerts.models import MemberChoice, Notice
from alerts.preferences import wishes_of
from alerts.types import Kind, chosen, usual

OPEN, DONE = "open", "done"
_DUE = Q(ended_at=None, acknowledged_at=None)


class Counts(NamedTuple):
    """How many notices of a fleet wait for somebody, are open, are over."""

    due: int
    open: int
    done: int


def notices_of(*, fleet: Fleet, kinds: Collection[Kind], state: str = "", kind: str = "") -> QuerySet[Notice]:
    """The fleet's notices of these kinds, those that wait first; `state` is OPEN, DONE or "", `kind` one of them."""
    found = Notice.objects.filter(fleet=fleet, kind__in=kinds).select_related(
        "fleet", "vehicle", "acknowledged_by"
    )
    if state in (OPEN, DONE):
        found = found.filter(ended_at__isnull=state == OPEN)
    return found.filter(kind=kind) if kind in Kind.values else found


def counts_of(*, fleet: Fleet, kinds: Collection[Kind]) -> Counts:
    """Counts of the fleet's notices of these kinds."""
    of = Notice.objects.filter(fleet=fleet, kind__in=kinds).order_by()
    counted = of.aggregate(
        due=Count("pk", filter=_DUE),
        open=Count("pk", filter=Q(ended_at=None)),
        done=Count("pk", filter=Q(ended_at__isnull=False)),
    )
    return Counts(**counted)


def due_count(*, user: User, fleet: Fleet | None) -> int:
    """What the person's bell shows: the open notices that nobody has in hand, of the fleet or of all of theirs.

    One query.
    """
    mine = Notice.objects.filter(_DUE, fleet__memberships__user=user)
    if fleet is not None:
        mine = mine.filter(fleet=fleet)
    choice = F("fleet__memberships__notice_choice__in_bell")
    rows = mine.order_by().values_list("kind", "fleet__memberships__role", choice).annotate(Count("pk"))
    return sum(count for kind, role, values, count in rows if kind in _in_bell(role, values))


def _in_bell(role: str, values: Iterable[str] | None) -> frozenset[Kind]:
    return usual(role)[0] if values is None else chosen(role, values)


def due_of(*, memberships: Iterable[Membership], limit: int) -> list[Notice]:
    """The newest of what the bell of somebody with these memberships counts. Two queries."""
    memberships = list(memberships)
    choices = MemberChoice.objects.in_bulk([each.pk for each in memberships])
    wanted = Q(pk__in=[])
    for each in memberships:
        wanted |= Q(fleet=each.fleet_id, kind__in=wishes_of(each, choices.get(each.pk))[0])
    return list(Notice.objects.filter(_DUE, wanted).select_related("vehicle", "fleet")[:limit])


def readers_of(*, fleet_id: int) -> list[tuple[User, frozenset[Kind]]]:
    """The members of the fleet who want e-mails, each with the kinds. Two queries."""
    members = list(
        Membership.objects.filter(fleet_id=fleet_id, user__is_active=True)
        .select_related("user")
        .order_by("pk")
    )
    choices = MemberChoice.objects.in_bulk([each.pk for each in members])
    wanted = [(each.user, wishes_of(each, choices.get(each.pk))[1]) for each in members]
    return [(user, kinds) for user, kinds in wanted if kinds]
