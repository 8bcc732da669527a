"""Making fleets and members."""

from django.db import transaction

from accounts import audit
from accounts.models import Fleet, Membership, Role, User


@transaction.atomic
def create_fleet(*, name: str, slug: str, owner: User, api_version: str) -> Fleet:
    """A new fleet with its first owner. Raises IntegrityError when the slug is taken."""
    fleet = Fleet.objects.create(name=name, slug=slug, api_version=api_version)
    add_member(fleet=fleet, user=owner, role=Role.OWNER, actor=owner)
    return fleet


@transaction.atomic
def add_member(*, fleet: Fleet, user: User, role: Role, actor: User | None) -> Membership:
    """Makes the user a member, or changes the member's role."""
    membership, _ = Membership.objects.update_or_create(fleet=fleet, user=user, defaults={"role": role})
    audit.record(fleet=fleet, actor=actor, action=f"made a member {role.name.title()}", target=user.email)
    return membership
