"""The page of alerts, its settings and the bell: who may see and do what, and what they show."""

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
from alerts import services
from alerts.models import Alert, AlertSettings, NotificationPreference
from alerts.types import AlertCondition, AlertType
from tests.alerts.helpers import begin, open_alerts
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/alerts/"


def people(owner: int, teammate: int, viewer: int, driver: int, outsider: int) -> pytest.MarkDecorator:
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


@people(200, 200, 200, 403, 404)
@pytest.mark.parametrize("page", ["", "settings/", "badge/", "recent/"])
def test_who_sees_cars_sees_notices(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int, page: str
) -> None:
    assert browser_of(request.getfixturevalue(person)).get(PAGE + page).status_code == status


@people(302, 302, 403, 403, 404)
def test_who_can_do_something_about_it_acknowledges(
    request: pytest.FixtureRequest, vehicle: Vehicle, browser_of: BrowserOf, person: str, status: int
) -> None:
    notice = begin(vehicle)
    browser = browser_of(request.getfixturevalue(person))
    for given in ({"alert": notice.pk}, {}):
        assert browser.post(f"{PAGE}acknowledge/", given).status_code == status
    notice.refresh_from_db()
    assert notice.is_unacknowledged == (status != 302)


@people(302, 302, 403, 403, 404)
def test_who_connects_cars_makes_the_fleets_rules(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    given = {"low_battery": "35", "kinds": ["battery"]}
    assert browser.post(f"{PAGE}fleet-settings/", given).status_code == status
    made = list(AlertSettings.objects.values_list("low_battery", "kinds"))
    assert made == ([(35, ["battery"])] if status == 302 else [])
    assert AuditLogEntry.objects.filter(event=AuditEvent.ALERT_SETTINGS_CHANGED).exists() == bool(made)


@people(302, 302, 302, 403, 404)
def test_every_member_who_sees_cars_chooses_for_themselves(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    user = request.getfixturevalue(person)
    given = {"in_app": ["battery"], "by_email": []}
    assert browser_of(user).post(f"{PAGE}settings/", given).status_code == status
    assert NotificationPreference.objects.filter(membership__user=user).exists() == (status == 302)


@pytest.mark.parametrize("page", ["", "settings/", "badge/", "recent/"])
def test_nobody_signed_in_is_sent_to_sign_in(fleet: Fleet, page: str) -> None:
    assert Client().get(PAGE + page).status_code == 302
    assert Client().get("/alerts/badge/").status_code == 302


def test_a_notice_of_another_fleet_is_not_touched(
    vehicle: Vehicle, outsider: User, browser_of: BrowserOf
) -> None:
    notice = begin(vehicle)
    browser = browser_of(outsider)
    browser.post("/fleets/red/alerts/acknowledge/", {"alert": notice.pk})
    browser.post("/fleets/red/alerts/acknowledge/")
    assert open_alerts()[0].is_unacknowledged
    assert "Van 1" not in alert_text(browser, "/fleets/red/alerts/")


def test_a_viewer_hears_of_low_batteries_only(vehicle: Vehicle, viewer: User, browser_of: BrowserOf) -> None:
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION)
    page = alert_text(browser_of(viewer))
    assert "Low battery · <a" in page
    assert "Connection lost ·" not in page
    assert "Acknowledge" not in page
    settings = alert_text(browser_of(viewer), f"{PAGE}settings/")
    assert 'value="battery" checked' in settings
    assert 'value="connection"' not in settings
    assert "Save for fleet" not in settings
    assert "counts as low below 20%" in settings


def test_a_viewer_cannot_choose_what_is_not_offered(
    fleet: Fleet, viewer: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(viewer).post(f"{PAGE}settings/", {"in_app": ["connection"]})
    assert answer.status_code == 404
    assert not NotificationPreference.objects.exists()


def test_what_waits_stands_first_then_what_is_in_hand_then_what_is_over(
    fleet: Fleet, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    cars = [Vehicle.objects.create(fleet=fleet, smartcar_id=name, name=name) for name in ("Over", "Held")]
    over, held = (begin(car) for car in cars)
    services.acknowledge(fleet=fleet, kinds=AlertType, user=owner, now=timezone.now(), alert_id=held.pk)
    services.resolve(kind=AlertType.BATTERY, subject_ids=[over.subject_id], now=timezone.now())
    begin(vehicle)
    page = alert_text(browser_of(owner))
    assert page.index(">Van 1</a>") < page.index(">Held</a>") < page.index(">Over</a>")
    assert f"acknowledged by {owner}" in page
    assert "The state of charge fell to 12\N{NO-BREAK SPACE}%, below 20\N{NO-BREAK SPACE}%." in page


def test_notices_are_filtered_by_state_and_kind(vehicle: Vehicle, owner: User, browser_of: BrowserOf) -> None:
    begin(vehicle)
    lost = begin(vehicle, AlertType.CONNECTION)
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


def test_acknowledging_all_keeps_to_the_kind_that_is_shown(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION)
    browser = browser_of(owner)
    answer = browser.post(f"{PAGE}acknowledge/", {"kind": "battery", "state": "open"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{PAGE}?state=open&kind=battery"
    assert "1 alert acknowledged" in answer.content.decode()
    assert [notice.is_unacknowledged for notice in open_alerts()] == [False, True]
    answer = browser.post(f"{PAGE}acknowledge/", {"kind": "battery"}, follow=True)
    assert "Nothing to acknowledge. The alert was already acknowledged or resolved" in answer.content.decode()
    assert browser.post(f"{PAGE}acknowledge/", {"alert": "x"}).status_code == 404
    assert browser.post(f"{PAGE}acknowledge/", {"alert": "9" * 30}).status_code == 404


@pytest.mark.parametrize("given", ["", "4", "61", "20.5", "many"])
def test_a_threshold_that_cannot_be_is_told_and_kept(
    fleet: Fleet, owner: User, browser_of: BrowserOf, given: str
) -> None:
    answer = browser_of(owner).post(f"{PAGE}fleet-settings/", {"low_battery": given, "kinds": ["token"]})
    page = unescape(answer.content.decode())
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in page
    assert f'value="{given}"' in page
    assert 'value="token" checked' in page
    assert 'value="connection" checked' not in page.partition('id="rules-title"')[2]
    assert not AlertSettings.objects.exists()


def test_a_member_who_wants_nothing_gets_nothing(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    begin(vehicle)
    browser = browser_of(owner)
    assert "1 open alert" in alert_text(browser)
    browser.post(f"{PAGE}settings/")
    page = alert_text(browser)
    assert "No open alerts" in page
    assert ">Van 1</a>" in page
    assert "No open alerts." in alert_text(browser, f"{PAGE}recent/")


def test_who_becomes_a_viewer_gets_less_of_what_they_chose(
    vehicle: Vehicle, teammate: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(teammate)
    browser.post(f"{PAGE}settings/", {"in_app": ["battery", "connection"]})
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION)
    assert "2 open alerts" in alert_text(browser)
    add_member(fleet=vehicle.fleet, user=teammate, role=Role.VIEWER, actor=None)
    assert "1 open alert" in alert_text(browser)


def test_the_bell_counts_the_fleet_that_is_shown_or_all_of_the_persons(
    vehicle: Vehicle, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    red = outsider.fleets.get()
    add_member(fleet=red, user=owner, role=Role.VIEWER, actor=None)
    begin(vehicle)
    other = Vehicle.objects.create(fleet=red, smartcar_id="red-1", name="Red 1")
    begin(other)
    begin(other, AlertType.CONNECTION)
    browser = browser_of(owner)
    assert "1 open alert" in alert_text(browser)
    everywhere = alert_text(browser, "/alerts/badge/")
    assert "2 open alerts" in everywhere
    newest = alert_text(browser, "/alerts/recent/")
    assert "Low battery · Red 1" in newest
    assert "Connection lost" not in newest
    assert 'href="/fleets/red/alerts/"' in newest
    assert browser.get("/alerts/badge/?shown=2").status_code == 204
    assert browser.get(f"{PAGE}badge/?shown=1").status_code == 204
    assert browser.get(f"{PAGE}badge/?shown=0").status_code == 200
    assert "Red 1" not in alert_text(browser_of(outsider), f"{PAGE}recent/")


def test_who_sees_no_fleet_has_no_bell(driver: User, browser_of: BrowserOf) -> None:
    assert "notices-menu" not in alert_text(browser_of(driver), "/")


def test_the_newest_lead_to_the_car_and_to_its_connection(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION, subject_id=77)
    begin(
        vehicle,
        AlertType.TOKEN,
        subject_id=5,
        payload={"ends": "2026-12-05T10:00:00+00:00", "connection": 78, "cars": 3},
    )
    newest = alert_text(browser_of(owner), f"{PAGE}recent/")
    assert f'href="/fleets/blue/vehicles/{vehicle.smartcar_id}/"' in newest
    assert 'href="/fleets/blue/connections/77/"' in newest
    assert 'href="/fleets/blue/connections/78/"' in newest
    assert "This affects 2 more vehicles." in newest


def test_the_number_of_queries_does_not_grow(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    counts = []
    for size in (2, 60):
        cars = Vehicle.objects.bulk_create(
            Vehicle(fleet=fleet, smartcar_id=f"{size}-{number}") for number in range(size)
        )
        conditions = [
            AlertCondition(
                AlertType.CONNECTION, fleet.pk, car.pk, subject_id=car.pk, payload={"state": "stale"}
            )
            for car in cars
        ]
        services.raise_alerts(conditions=conditions, now=timezone.now())
        for address in (PAGE, f"{PAGE}recent/", f"{PAGE}badge/"):
            with CaptureQueriesContext(database) as queries:
                assert browser.get(address).status_code == 200
            counts.append(len(queries))
    assert counts[:3] == counts[3:]
    assert Alert.objects.count() == 62


def test_the_bell_costs_one_query_a_page(vehicle: Vehicle, owner: User, browser_of: BrowserOf) -> None:
    begin(vehicle)
    browser = browser_of(owner)
    with CaptureQueriesContext(database) as queries:
        browser.get("/fleets/blue/")
    assert sum("alerts_notice" in query["sql"] for query in queries) == 1
