"""Whether this site offers v2. Otherwise pages mention v2 only to fleets that still have vehicles on it."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Fleet, SmartcarApiVersion, User
from connect.models import ApiMigration, Connection, ConnectionState
from vehicles.models import Vehicle

BrowserOf = Callable[[User], Client]
INTEGRATION, USAGE = "/fleets/blue/integration/", "/fleets/blue/usage/"


@pytest.fixture
def not_offered(settings: object) -> None:
    settings.SMARTCAR_V2_OFFERED = False  # type: ignore[attr-defined]


@pytest.mark.usefixtures("not_offered")
def test_pages_of_a_fleet_on_v3_do_not_mention_v2(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    assert 'id="generation"' not in browser.get(INTEGRATION).content.decode()
    assert 'aria-labelledby="tokens"' not in browser.get(USAGE).content.decode()


@pytest.mark.usefixtures("not_offered")
def test_a_fleet_on_v3_cannot_migrate_to_v2(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).post(f"{INTEGRATION}migration/", {"api_version": "v2"}, follow=True)
    assert "API v2 isn&#x27;t available on this site" in answer.content.decode()
    assert not ApiMigration.objects.exists()


@pytest.mark.usefixtures("not_offered")
def test_fleet_still_on_v2_can_migrate_to_v3(
    fleet: Fleet, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    Connection.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version=SmartcarApiVersion.V2,
        state=ConnectionState.ACTIVE,
    )
    page = browser_of(owner).get(INTEGRATION).content.decode()
    assert 'name="api_version" value="v3"' in page


def test_both_versions_are_shown_if_v2_is_offered(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    assert 'name="api_version" value="v2"' in browser.get(INTEGRATION).content.decode()
    assert 'aria-labelledby="tokens"' in browser.get(USAGE).content.decode()
