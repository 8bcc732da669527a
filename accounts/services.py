"""Creating fleets and adding members."""

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, Membership, Role, User


@transaction.atomic
def create_fleet(*, name: str, slug: str, owner: User, api_version: str) -> Fleet:
    """Creates a fleet with its first owner. Raises IntegrityError if the slug is taken."""
    fleet = Fleet.objects.create(name=name, slug=slug, api_version=api_version)
    add_member(fleet=fleet, user=owner, role=Role.OWNER, actor=owner)
    return fleet


@transaction.atomic
def add_member(*, fleet: Fleet, user: User, role: Role, actor: User | None) -> Membership:
    """Adds the user as a member, or changes the member's role."""
    membership, _ = Membership.objects.update_or_create(fleet=fleet, user=user, defaults={"role": role})
    log_event(
        fleet=fleet,
        actor=actor,
        event=AuditEvent.MEMBER_ROLE_SET,
        about=(AuditObject.MEMBER, user.pk),
        data={"name": user.email, "role": role.value},
    )
    return membership
