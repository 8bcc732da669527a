"""Who may do what: the whole table, and what those get who may not."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Fleet
from accounts.permissions import Right, fleets_with_right, membership_for

TABLE = {
    "owner": set(Right),
    "teammate": {Right.VIEW, Right.CONNECT, Right.COMMAND, Right.INSPECT, Right.BUDGET},
    "viewer": {Right.VIEW},
    "driver": set(),
}


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("person", TABLE)
def test_a_role_carries_its_rights_and_no_others(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, right: Right
) -> None:
    user = request.getfixturevalue(person)
    if right in TABLE[person]:
        assert membership_for(user=user, slug=fleet.slug, right=right).fleet == fleet
        assert fleet in fleets_with_right(user=user, right=right)
    else:
        with pytest.raises(PermissionDenied):
            membership_for(user=user, slug=fleet.slug, right=right)
        assert fleet not in fleets_with_right(user=user, right=right)


@pytest.mark.parametrize("right", Right)
def test_an_outsider_cannot_tell_that_the_fleet_exists(
    request: pytest.FixtureRequest, fleet: Fleet, right: Right
) -> None:
    outsider = request.getfixturevalue("outsider")
    with pytest.raises(Http404):
        membership_for(user=outsider, slug=fleet.slug, right=right)
    with pytest.raises(Http404):
        membership_for(user=outsider, slug="no-such-fleet", right=right)
