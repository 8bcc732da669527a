"""Showing a fleet's managers the checklist of its set-up for as long as it helps.

`Fleet.onboarding` remembers when it no longer does, so that pages of a fleet that is set up pay no query for it.
"""

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, Membership, Onboarding
from accounts.permissions import Permission, has_permission
from dashboard.onboarding.selectors import build_checklist
from dashboard.onboarding.steps import Checklist, SetupTask


def get_checklist(*, membership: Membership) -> Checklist | None:
    """What the fleet page shows the member, or None: the list is over, or not theirs to work on.

    A fleet that had cars before anybody looked needs none. Completion is said once: the next call returns None.
    """
    fleet = membership.fleet
    if fleet.onboarding == Onboarding.OVER or not has_permission(
        membership=membership, right=Permission.CONNECT
    ):
        return None
    checklist = build_checklist(fleet=fleet)
    if fleet.onboarding == Onboarding.NEW:
        known = SetupTask.CAR in checklist.done
        _note(fleet, Onboarding.OVER if known else Onboarding.OPEN)
        return None if known else checklist
    if checklist.complete:
        _note(fleet, Onboarding.OVER)
    return checklist


def get_progress(*, fleet: Fleet) -> Checklist:
    """The list as it is, whether the fleet page still shows it or not; a complete one is over from now on."""
    checklist = build_checklist(fleet=fleet)
    if checklist.complete and fleet.onboarding != Onboarding.OVER:
        _note(fleet, Onboarding.OVER)
    return checklist


def hide(*, membership: Membership) -> None:
    """No longer shows the list on the fleet page, to anybody."""
    fleet = membership.fleet
    if fleet.onboarding != Onboarding.OVER:
        _note(fleet, Onboarding.OVER)
        log_event(fleet=fleet, actor=membership.user, event=AuditEvent.SETUP_CHECKLIST_HIDDEN)


def _note(fleet: Fleet, state: Onboarding) -> None:
    fleet.onboarding = state
    fleet.save(update_fields=["onboarding"])
