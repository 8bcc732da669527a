"""Addresses of Smartcar's documentation about errors."""

import pytest

from simulator.errors import doc_url
from smartcar_api.error_docs import documentation_url


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("COMPATIBILITY", "PLATFORM_NOT_CAPABLE"),
        ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED"),
        ("VEHICLE_STATE", "DOOR_OPEN"),
        ("BILLING", "VEHICLE_LIMIT"),
    ],
)
def test_address_is_the_one_that_smartcar_sends(kind: str, code: str) -> None:
    assert documentation_url(kind, code) == doc_url(kind, code)


def test_errors_of_our_own_have_no_address() -> None:
    assert documentation_url("NO_ANSWER", "TIMEOUT") == ""
    assert documentation_url("") == ""
    assert documentation_url("PERMISSION") == "https://smartcar.com/docs/errors/api-errors/permission-errors"
