"""Showing the setup checklist to a fleet's managers while it is useful.

`Fleet.onboarding` stores that it no longer is, so that pages of fleets that are set up need no query for it.
"""

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, Membership, Onboarding
from accounts.permissions import Permission, has_permission
from dashboard.onboarding.selectors import build_checklist
from dashboard.onboarding.steps import Checklist, SetupTask


def get_checklist(*, membership: Membership) -> Checklist | None:
    """Returns the checklist for the fleet page, or None if it is closed or the member can't work on it.

    A fleet that had vehicles before its page was first opened needs none. The completed list is returned once, and None
    after that.
    """
    fleet = membership.fleet
    if fleet.onboarding == Onboarding.OVER or not has_permission(
        membership=membership, right=Permission.CONNECT
    ):
        return None
    checklist = build_checklist(fleet=fleet)
    if fleet.onboarding == Onboarding.NEW:
        known = SetupTask.VEHICLE in checklist.done
        _set_state(fleet, Onboarding.OVER if known else Onboarding.OPEN)
        return None if known else checklist
    if checklist.complete:
        _set_state(fleet, Onboarding.OVER)
    return checklist


def get_progress(*, fleet: Fleet) -> Checklist:
    """Returns the checklist, whether or not the fleet page still shows it. A complete one is closed from now on."""
    checklist = build_checklist(fleet=fleet)
    if checklist.complete and fleet.onboarding != Onboarding.OVER:
        _set_state(fleet, Onboarding.OVER)
    return checklist


def hide(*, membership: Membership) -> None:
    """Closes the checklist on the fleet page, for all members."""
    fleet = membership.fleet
    if fleet.onboarding != Onboarding.OVER:
        _set_state(fleet, Onboarding.OVER)
        log_event(fleet=fleet, actor=membership.user, event=AuditEvent.SETUP_CHECKLIST_HIDDEN)


def _set_state(fleet: Fleet, state: Onboarding) -> None:
    fleet.onboarding = state
    fleet.save(update_fields=["onboarding"])
