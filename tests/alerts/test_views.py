"""The alerts page, its settings and the notification badge: permissions and content."""

from collections.abc import Callable
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, Role, User
from accounts.services import add_member
from alerts import messages, services
from alerts.models import Alert, AlertSettings, NotificationPreference
from alerts.types import AlertCondition, AlertType
from tests.alerts.helpers import open_alerts, raise_alert
from tests.dashboard.vehicle_list.fixtures import connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/alerts/"


def by_role(owner: int, teammate: int, viewer: int, driver: int, outsider: int) -> pytest.MarkDecorator:
    statuses = {
        "owner": owner,
        "teammate": teammate,
        "viewer": viewer,
        "driver": driver,
        "outsider": outsider,
    }
    return pytest.mark.parametrize(("person", "status"), statuses.items())


def alert_text(browser: Client, address: str = PAGE) -> str:
    return unescape(browser.get(address).content.decode())


@by_role(200, 200, 200, 403, 404)
@pytest.mark.parametrize("page", ["", "settings/", "badge/", "recent/"])
def test_members_who_see_vehicles_see_alerts(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int, page: str
) -> None:
    assert browser_of(request.getfixturevalue(person)).get(PAGE + page).status_code == status


@by_role(302, 302, 403, 403, 404)
def test_members_who_can_connect_vehicles_acknowledge_alerts(
    request: pytest.FixtureRequest, vehicle: Vehicle, browser_of: BrowserOf, person: str, status: int
) -> None:
    alert = raise_alert(vehicle)
    browser = browser_of(request.getfixturevalue(person))
    for form in ({"alert": alert.pk}, {}):
        assert browser.post(f"{PAGE}acknowledge/", form).status_code == status
    alert.refresh_from_db()
    assert alert.is_unacknowledged == (status != 302)


@by_role(302, 302, 403, 403, 404)
def test_members_who_can_connect_vehicles_change_the_alert_settings(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    form = {"low_battery": "35", "kinds": ["battery"]}
    assert browser.post(f"{PAGE}fleet-settings/", form).status_code == status
    stored = list(AlertSettings.objects.values_list("low_battery", "kinds"))
    assert stored == ([(35, ["battery"])] if status == 302 else [])
    assert AuditLogEntry.objects.filter(event=AuditEvent.ALERT_SETTINGS_CHANGED).exists() == bool(stored)


@by_role(302, 302, 302, 403, 404)
def test_members_who_see_vehicles_choose_their_notifications(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    user = request.getfixturevalue(person)
    form = {"in_app": ["battery"], "by_email": []}
    assert browser_of(user).post(f"{PAGE}settings/", form).status_code == status
    assert NotificationPreference.objects.filter(membership__user=user).exists() == (status == 302)


@pytest.mark.parametrize("page", ["", "settings/", "badge/", "recent/"])
def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet, page: str) -> None:
    assert Client().get(PAGE + page).status_code == 302
    assert Client().get("/alerts/badge/").status_code == 302


def test_alerts_of_another_fleet_cannot_be_acknowledged(
    vehicle: Vehicle, outsider: User, browser_of: BrowserOf
) -> None:
    alert = raise_alert(vehicle)
    browser = browser_of(outsider)
    browser.post("/fleets/red/alerts/acknowledge/", {"alert": alert.pk})
    browser.post("/fleets/red/alerts/acknowledge/")
    assert open_alerts()[0].is_unacknowledged
    assert "Van 1" not in alert_text(browser, "/fleets/red/alerts/")


def test_viewers_see_only_battery_alerts(vehicle: Vehicle, viewer: User, browser_of: BrowserOf) -> None:
    raise_alert(vehicle)
    raise_alert(vehicle, AlertType.CONNECTION)
    page = alert_text(browser_of(viewer))
    assert "Low battery · <a" in page
    assert "Connection lost ·" not in page
    assert "Acknowledge" not in page
    settings = alert_text(browser_of(viewer), f"{PAGE}settings/")
    assert 'value="battery" checked' in settings
    assert 'value="connection"' not in settings
    assert "Save for fleet" not in settings
    assert "counts as low below 20%" in settings


def test_viewers_cannot_select_types_that_are_not_offered(
    fleet: Fleet, viewer: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(viewer).post(f"{PAGE}settings/", {"in_app": ["connection"]})
    assert answer.status_code == 404
    assert not NotificationPreference.objects.exists()


def test_alerts_are_sorted_open_then_acknowledged_then_resolved(
    fleet: Fleet, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    vehicles = [Vehicle.objects.create(fleet=fleet, smartcar_id=name, name=name) for name in ("Over", "Held")]
    resolved, acknowledged = (raise_alert(each) for each in vehicles)
    services.acknowledge(
        fleet=fleet, kinds=AlertType, user=owner, now=timezone.now(), alert_id=acknowledged.pk
    )
    services.resolve(kind=AlertType.BATTERY, subject_ids=[resolved.subject_id], now=timezone.now())
    raise_alert(vehicle)
    page = alert_text(browser_of(owner))
    assert page.index(">Van 1</a>") < page.index(">Held</a>") < page.index(">Over</a>")
    assert f"acknowledged by {owner}" in page
    assert "The state of charge fell to 12%, below 20%." in page


def test_alerts_are_filtered_by_state_and_kind(vehicle: Vehicle, owner: User, browser_of: BrowserOf) -> None:
    raise_alert(vehicle)
    lost = raise_alert(vehicle, AlertType.CONNECTION)
    services.resolve(kind=AlertType.CONNECTION, subject_ids=[lost.subject_id], now=timezone.now())
    browser = browser_of(owner)

    def kinds(query: str) -> set[str]:
        page = alert_text(browser, f"{PAGE}?{query}")
        titles = {"Connection lost": "connection", "Low battery": "battery"}
        return {kind for title, kind in titles.items() if f"{title} · <a" in page}

    assert kinds("") == {"battery", "connection"}
    assert kinds("state=open") == kinds("kind=battery") == {"battery"}
    assert kinds("state=done") == {"connection"}
    assert kinds("state=done&kind=battery") == set()
    assert kinds("state=nonsense&kind=nonsense&page=x") == {"battery", "connection"}


def test_acknowledging_all_is_limited_to_the_kind_shown(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    raise_alert(vehicle)
    raise_alert(vehicle, AlertType.CONNECTION)
    browser = browser_of(owner)
    answer = browser.post(f"{PAGE}acknowledge/", {"kind": "battery", "state": "open"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{PAGE}?state=open&kind=battery"
    assert "1 alert acknowledged" in answer.content.decode()
    assert [alert.is_unacknowledged for alert in open_alerts()] == [False, True]
    answer = browser.post(f"{PAGE}acknowledge/", {"kind": "battery"}, follow=True)
    assert "Nothing to acknowledge. The alert was already acknowledged or resolved" in answer.content.decode()
    assert browser.post(f"{PAGE}acknowledge/", {"alert": "x"}).status_code == 404
    assert browser.post(f"{PAGE}acknowledge/", {"alert": "9" * 30}).status_code == 404


@pytest.mark.parametrize("threshold", ["", "4", "61", "20.5", "many"])
def test_an_invalid_threshold_is_rejected_and_the_form_preserved(
    fleet: Fleet, owner: User, browser_of: BrowserOf, threshold: str
) -> None:
    answer = browser_of(owner).post(f"{PAGE}fleet-settings/", {"low_battery": threshold, "kinds": ["token"]})
    page = unescape(answer.content.decode())
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in page
    assert f'value="{threshold}"' in page
    assert 'value="token" checked' in page
    assert 'value="connection" checked' not in page.partition('id="rules-title"')[2]
    assert not AlertSettings.objects.exists()


def test_a_member_can_disable_all_notifications(vehicle: Vehicle, owner: User, browser_of: BrowserOf) -> None:
    connect(vehicle)
    raise_alert(vehicle)
    browser = browser_of(owner)
    assert "1 vehicle needs attention" in alert_text(browser)
    browser.post(f"{PAGE}settings/")
    page = alert_text(browser)
    assert "No vehicle needs attention" in page
    assert ">Van 1</a>" in page
    assert "No open alerts." in alert_text(browser, f"{PAGE}recent/")


def test_the_badge_counts_the_current_fleet_or_all_fleets_of_the_user(
    vehicle: Vehicle, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    red = outsider.fleets.get()
    add_member(fleet=red, user=owner, role=Role.VIEWER, actor=None)
    connect(vehicle)
    raise_alert(vehicle)
    other = Vehicle.objects.create(fleet=red, smartcar_id="red-1", name="Red 1")
    connect(other)
    raise_alert(other)
    raise_alert(other, AlertType.CONNECTION)
    browser = browser_of(owner)
    assert "1 vehicle needs attention" in alert_text(browser)
    all_fleets = alert_text(browser, "/alerts/badge/")
    assert "2 vehicles need attention" in all_fleets
    recent = alert_text(browser, "/alerts/recent/")
    assert "Low battery · Red 1" in recent
    assert "Connection lost" not in recent
    assert 'href="/fleets/red/alerts/"' in recent
    assert 'href="/fleets/red/?show=attention"' in recent
    assert browser.get("/alerts/badge/?shown=2").status_code == 204
    assert browser.get(f"{PAGE}badge/?shown=1").status_code == 204
    assert browser.get(f"{PAGE}badge/?shown=0").status_code == 200
    assert "Red 1" not in alert_text(browser_of(outsider), f"{PAGE}recent/")


def test_users_without_access_to_a_fleet_have_no_badge(driver: User, browser_of: BrowserOf) -> None:
    assert "notices-menu" not in alert_text(browser_of(driver), "/")


def test_recent_alerts_link_to_the_vehicle_and_its_connection(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    raise_alert(vehicle)
    raise_alert(vehicle, AlertType.CONNECTION, subject_id=77)
    raise_alert(
        vehicle,
        AlertType.TOKEN,
        subject_id=5,
        payload={"ends": "2026-12-05T10:00:00+00:00", "connection": 78, "cars": 3},
    )
    recent = alert_text(browser_of(owner), f"{PAGE}recent/")
    assert f'href="/fleets/blue/vehicles/{vehicle.smartcar_id}/"' in recent
    assert 'href="/fleets/blue/connections/77/"' in recent
    assert 'href="/fleets/blue/connections/78/"' in recent
    assert "This affects 2 more vehicles." in recent


def test_the_number_of_queries_does_not_grow(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    counts = []
    for size in (2, 60):
        vehicles = Vehicle.objects.bulk_create(
            Vehicle(fleet=fleet, smartcar_id=f"{size}-{number}") for number in range(size)
        )
        conditions = [
            AlertCondition(
                AlertType.CONNECTION, fleet.pk, vehicle.pk, subject_id=vehicle.pk, payload={"state": "stale"}
            )
            for vehicle in vehicles
        ]
        services.raise_alerts(conditions=conditions, now=timezone.now())
        for address in (PAGE, f"{PAGE}recent/", f"{PAGE}badge/"):
            with CaptureQueriesContext(database) as queries:
                assert browser.get(address).status_code == 200
            counts.append(len(queries))
    assert counts[:3] == counts[3:]
    assert Alert.objects.count() == 62


def test_the_badge_costs_one_query_per_page(vehicle: Vehicle, owner: User, browser_of: BrowserOf) -> None:
    raise_alert(vehicle)
    browser = browser_of(owner)
    with CaptureQueriesContext(database) as queries:
        browser.get("/fleets/blue/")
    assert sum("candidate AS" in query["sql"] for query in queries) == 1


@pytest.mark.parametrize(("level", "shown"), [(24.6, "24%"), (24.4, "24%"), (25.0, "25%"), (0.4, "0%")])
def test_a_level_just_below_the_threshold_is_not_shown_as_the_threshold(level: float, shown: str) -> None:
    alert = Alert(kind=AlertType.BATTERY, payload={"level": level, "threshold": 25, "fuel": False})
    assert messages.alert_text(alert) == f"The state of charge fell to {shown}, below 25%."
