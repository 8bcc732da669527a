"""The permission that each signal needs, and the documented permissions."""

import pytest

from connect.scopes import FLEET_SCOPES, NEEDED, SCOPES
from simulator.vehicles import CATALOGUE as WIRE_CATALOGUE
from vehicles.catalogue import CATALOGUE
from vehicles.signal_permissions import CONTROL_PERMISSIONS, PERMISSIONS, READ_PERMISSIONS, permission_for


def test_every_signal_of_the_catalogue_has_a_documented_permission_for_reading() -> None:
    assert len(CATALOGUE) == 93
    assert {code: signal.permission for code, signal in CATALOGUE.items()} == {
        code: permission_for(code) for code in CATALOGUE
    }
    assert {signal.permission for signal in CATALOGUE.values()} <= set(READ_PERMISSIONS)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_signal_has_the_permission_by_which_smartcar_grants_it(code: str) -> None:
    assert permission_for(code) == WIRE_CATALOGUE[code].permission


def test_an_unknown_group_has_no_permission() -> None:
    with pytest.raises(KeyError):
        permission_for("teleportation-range")


def test_all_28_documented_permissions_can_be_requested_each_with_its_own_reason() -> None:
    assert len(PERMISSIONS) == 28
    assert {scope.name for scope in SCOPES} == set(PERMISSIONS)
    assert len({scope.title for scope in SCOPES}) == len({scope.reason for scope in SCOPES}) == 28
    assert {scope.name for scope in SCOPES if scope.command} == set(CONTROL_PERMISSIONS)
    assert NEEDED in FLEET_SCOPES
    assert set(FLEET_SCOPES) <= set(PERMISSIONS)
