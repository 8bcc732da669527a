"""Showing a fleet's managers the checklist of its set-up for as long as it helps.

`Fleet.onboarding` remembers when it no longer does, so that pages of a fleet that is set up pay no query for it.
"""

from accounts import audit
from accounts.models import Fleet, Membership, Onboarding
from accounts.permissions import Right, has_right
from dashboard.onboarding.selectors import checklist_of
from dashboard.onboarding.steps import Checklist, Step


def checklist_for(*, membership: Membership) -> Checklist | None:
    """What the fleet page shows the member, or None: the list is over, or not theirs to work on.

    A fleet that had cars before anybody looked needs none. Completion is said once: the next call returns None.
    """
    fleet = membership.fleet
    if fleet.onboarding == Onboarding.OVER or not has_right(membership=membership, right=Right.CONNECT):
        return None
    checklist = checklist_of(fleet=fleet)
    if fleet.onboarding == Onboarding.NEW:
        known = Step.CAR in checklist.done
        _note(fleet, Onboarding.OVER if known else Onboarding.OPEN)
        return None if known else checklist
    if checklist.complete:
        _note(fleet, Onboarding.OVER)
    return checklist


def progress_of(*, fleet: Fleet) -> Checklist:
    """The list as it is, whether the fleet page still shows it or not; a complete one is over from now on."""
    checklist = checklist_of(fleet=fleet)
    if checklist.complete and fleet.onboarding != Onboarding.OVER:
        _note(fleet, Onboarding.OVER)
    return checklist


def hide(*, membership: Membership) -> None:
    """No longer shows the list on the fleet page, to anybody."""
    fleet = membership.fleet
    if fleet.onboarding != Onboarding.OVER:
        _note(fleet, Onboarding.OVER)
        audit.record(fleet=fleet, actor=membership.user, action="hid the checklist of the set-up")


def _note(fleet: Fleet, state: Onboarding) -> None:
    fleet.onboarding = state
    fleet.save(update_fields=["onboarding"])
