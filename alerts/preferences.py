"""Who wants to hear of what: the fleet's rules, and each member's choice. Callers have checked the right."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, Membership, User
from alerts import battery, services
from alerts.models import FleetRules, MemberChoice, Notice
from alerts.types import Kind, chosen, usual
from core.task_queue import enqueue_on_commit


def rules_of(*, fleet: Fleet) -> FleetRules:
    """The fleet's rules, or those that hold until it makes some."""
    return FleetRules.objects.filter(fleet=fleet).first() or FleetRules(fleet=fleet)


@transaction.atomic
def set_rules(*, fleet: Fleet, low_battery: int, kinds: Collection[Kind], actor: User) -> None:
    """Changes what the fleet is told of. What it is no longer told of is over; what is new is looked for at once."""
    FleetRules.objects.update_or_create(
        fleet=fleet,
        defaults={"low_battery": low_battery, "kinds": [kind.value for kind in Kind if kind in kinds]},
    )
    log_event(fleet=fleet, actor=actor, event=AuditEvent.ALERT_SETTINGS_CHANGED)
    now = timezone.now()
    services.end_of_fleet(fleet=fleet, kinds=set(Kind) - set(kinds), now=now)
    noticed = Notice.objects.filter(fleet=fleet, kind=Kind.BATTERY, ended_at=None)
    battery.judge(vehicle_ids=list(noticed.values_list("vehicle_id", flat=True)), now=now, slack=0.0)
    enqueue_on_commit("connect.tasks.find_notices")


def wishes_of(membership: Membership, choice: MemberChoice | None) -> tuple[frozenset[Kind], frozenset[Kind]]:
    """The kinds that the member gets in the bell and by e-mail. A role that may see less gets less."""
    if choice is None:
        return usual(membership.role)
    return chosen(membership.role, choice.in_bell), chosen(membership.role, choice.by_mail)


def choice_of(membership: Membership) -> MemberChoice | None:
    """What the member chose, or None."""
    return MemberChoice.objects.filter(membership=membership).first()


def choose(*, membership: Membership, in_bell: Collection[Kind], by_mail: Collection[Kind]) -> None:
    """The member wants these. What is not offered to the role is left out."""
    wanted = {
        "in_bell": sorted(chosen(membership.role, in_bell)),
        "by_mail": sorted(chosen(membership.role, by_mail)),
    }
    MemberChoice.objects.update_or_create(membership=membership, defaults=wanted)
