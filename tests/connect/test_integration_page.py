"""The integration page: credentials are checked; an API migration is started, watched and stopped."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect.models import Connection
from connect.v2.api_migration import services, worker
from connect.v2.api_migration.models import ApiMigration, ConnectionMigrationState, MigrationState
from tests.smartcar import connect, register_webhook

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]


def page(name: str = "integration", slug: str = "blue") -> str:
    return reverse(f"connect:{name}", args=[slug])


@pytest.fixture
def v2_fleet(smartcar: str, live_server: object, settings: Settings, fleet: Fleet, owner: User) -> Fleet:
    """A fleet on v2 with a vehicle."""
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    connect(smartcar, fleet=fleet, user=owner, count=1)
    return fleet


@pytest.mark.parametrize(
    ("who", "sees", "migrates"),
    [
        ("owner", 200, 302),
        ("teammate", 200, 403),
        ("viewer", 403, 403),
        ("driver", 403, 403),
        ("outsider", 404, 404),
    ],
)
def test_who_can_see_the_page_check_credentials_and_migrate(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, who: str, sees: int, migrates: int
) -> None:
    browser = browser_of(request.getfixturevalue(who))
    assert browser.get(page()).status_code == sees
    assert browser.get(page("integration_progress")).status_code == sees
    assert browser.post(page("integration_migrate"), {"api_version": "v2"}).status_code == migrates
    assert browser.post(page("integration_stop")).status_code == migrates


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owner_and_manager_can_check_the_credentials(
    smartcar: str, request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, who: str, status: int
) -> None:
    answer = browser_of(request.getfixturevalue(who)).post(page("integration_check"))
    assert answer.status_code == status


def test_anonymous_user_has_no_access(fleet: Fleet) -> None:
    for name in ("integration", "integration_progress"):
        assert Client().get(page(name)).status_code == 302
    for name in ("integration_check", "integration_migrate", "integration_stop"):
        assert Client().post(page(name)).status_code == 302


def test_check_names_what_is_wrong_and_shows_no_secret(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SMARTCAR_CLIENT_ID = settings.SMARTCAR_APPLICATION_ID
    answer = (
        browser_of(owner).post(page("integration_check"), headers={"HX-Request": "true"}).content.decode()
    )
    assert "looks like an application ID" in answer
    assert "<html" not in answer
    whole = browser_of(owner).post(page("integration_check")).content.decode()
    assert "looks like an application ID" in whole
    assert "<html" in whole
    secrets = [settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_CLIENT_SECRET]
    for secret in [*secrets, *settings.SMARTCAR_MANAGEMENT_TOKENS]:
        assert secret not in whole


def test_owner_starts_a_migration_and_its_progress_survives_a_reload(
    v2_fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert "1 connection on v2." in browser.get(page()).content.decode()
    browser.post(page("integration_migrate"), {"api_version": "v3"})
    migration = ApiMigration.objects.get()
    assert (migration.fleet, migration.started_by, migration.api_version) == (v2_fleet, owner, "v3")
    for _ in range(2):
        assert "Migrating to v3: 0 of 1 processed" in browser.get(page()).content.decode()
    shown = browser.get(page("integration_progress")).context["progress"].version
    assert browser.get(page("integration_progress"), {"version": shown}).status_code == 204
    _run_migration(migration)
    after = browser.get(page("integration_progress"), {"version": shown}).content.decode()
    assert "1 of 1 migrated" in after
    assert "hx-trigger" not in after


def _run_migration(migration: ApiMigration) -> None:
    for _ in range(50):
        worker.run(migration=migration)
        migration.steps.update(next_try_at=migration.started_at)
        if not ApiMigration.objects.filter(state=MigrationState.RUNNING).exists():
            return
    pytest.fail("The move does not end.")


def test_connection_that_was_not_migrated_is_listed_with_its_reason(
    v2_fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    connection = Connection.objects.select_related("vehicle").get()
    migration = services.start_migration(fleet=v2_fleet, to="v3", actor=owner)
    migration.steps.update(
        state=ConnectionMigrationState.STAYED, reason_smartcar_message="Smartcar does not know it."
    )
    worker.run(migration=migration)
    shown = browser_of(owner).get(page()).content.decode()
    assert "Smartcar does not know it." in shown
    assert str(connection.vehicle) in shown


def test_migration_can_be_stopped(v2_fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    services.start_migration(fleet=v2_fleet, to="v3", actor=owner)
    browser_of(owner).post(page("integration_stop"))
    assert ApiMigration.objects.get().state == MigrationState.STOPPED
    assert "was stopped" in browser_of(owner).get(page()).content.decode()


def test_obstacles_to_a_migration_are_shown(
    v2_fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SMARTCAR_CLIENT_SECRET = ""
    answer = browser_of(owner).post(page("integration_migrate"), {"api_version": "v3"}, follow=True)
    assert (
        "has no client ID and secret for v3. Set both (see “Test credentials”) and start again"
        in answer.content.decode()
    )
    wrong = browser_of(owner).post(page("integration_migrate"), {"api_version": "v9"}, follow=True)
    assert "Choose v2 or v3." in wrong.content.decode()
