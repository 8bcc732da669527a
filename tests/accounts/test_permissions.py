"""The permissions of each role, and the responses without permission."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Fleet
from accounts.permissions import Permission, fleets_for, get_membership_or_404

TABLE = {
    "owner": set(Permission),
    "teammate": {
        Permission.VIEW,
        Permission.CONNECT,
        Permission.COMMAND,
        Permission.INSPECT,
        Permission.BUDGET,
        Permission.AUDIT,
    },
    "viewer": {Permission.VIEW},
    "driver": set(),
}


@pytest.mark.parametrize("right", Permission)
@pytest.mark.parametrize("person", TABLE)
def test_a_role_has_exactly_its_permissions(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, right: Permission
) -> None:
    user = request.getfixturevalue(person)
    if right in TABLE[person]:
        assert get_membership_or_404(user=user, slug=fleet.slug, right=right).fleet == fleet
        assert fleet in fleets_for(user=user, right=right)
    else:
        with pytest.raises(PermissionDenied):
            get_membership_or_404(user=user, slug=fleet.slug, right=right)
        assert fleet not in fleets_for(user=user, right=right)


@pytest.mark.parametrize("right", Permission)
def test_an_outsider_cannot_tell_that_the_fleet_exists(
    request: pytest.FixtureRequest, fleet: Fleet, right: Permission
) -> None:
    outsider = request.getfixturevalue("outsider")
    with pytest.raises(Http404):
        get_membership_or_404(user=outsider, slug=fleet.slug, right=right)
    with pytest.raises(Http404):
        get_membership_or_404(user=outsider, slug="no-such-fleet", right=right)
