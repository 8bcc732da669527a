"""The authorization through Connect, on both API versions, against the simulator."""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import oauth, oauth_errors
from connect.models import AuthorizationRequest, Connection, ConnectionState, UserToken
from connect.oauth_errors import AuthorizationFailedError
from smartcar_api import SharedVehicle
from tests.smartcar import SESSION, authorize, connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


@pytest.fixture
def fleet_with_version(fleet: Fleet) -> Callable[[SmartcarApiVersion], Fleet]:
    def with_version(api_version: SmartcarApiVersion) -> Fleet:
        fleet.api_version = api_version
        fleet.save()
        return fleet

    return with_version


FleetOf = Callable[[SmartcarApiVersion], Fleet]


@both
def test_granted_cars_are_connected(
    smartcar: str, fleet_with_version: FleetOf, owner: User, api_version: SmartcarApiVersion
) -> None:
    result = connect(smartcar, fleet=fleet_with_version(api_version), user=owner, count=1)
    (connection,) = result.connections
    assert (connection.api_version, connection.state) == (api_version, ConnectionState.PENDING)
    assert connection.vehicle.make
    assert "read_battery" in connection.scopes
    assert (connection.tokens is not None) == (api_version == SmartcarApiVersion.V2)
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_CONNECTED, actor=owner).count() == 1


@both
def test_connecting_again_updates_and_never_duplicates(
    smartcar: str, fleet_with_version: FleetOf, owner: User, api_version: SmartcarApiVersion
) -> None:
    fleet = fleet_with_version(api_version)
    (first,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    first.move_to(ConnectionState.NEEDS_REAUTHENTICATION, now=timezone.now())
    (second,) = connect(smartcar, fleet=fleet, user=owner, vehicleIds=[first.vehicle.smartcar_id]).connections
    assert (second.pk, second.state) == (first.pk, ConnectionState.PENDING)
    assert Vehicle.objects.count() == 1


@both
def test_declined_authorization_connects_nothing(
    smartcar: str, fleet_with_version: FleetOf, owner: User, api_version: SmartcarApiVersion
) -> None:
    with pytest.raises(AuthorizationFailedError) as refusal:
        connect(smartcar, fleet=fleet_with_version(api_version), user=owner, outcome="deny")
    assert refusal.value.error.title == "Access wasn't allowed"
    assert not Connection.objects.exists()
    assert AuthorizationRequest.objects.get().outcome == "Access wasn't allowed"


def test_unknown_error_has_a_message() -> None:
    error = oauth_errors.error_for(error="brand_new_error")
    assert error.title == "The car wasn't connected"


def test_incompatible_vehicle_is_named() -> None:
    error = oauth_errors.error_for(
        error="vehicle_incompatible",
        params={"make": "HONDA", "model": "Civic", "year": "2004", "vin": "1hgcm82633a004352"},
    )
    assert dict(error.vehicle) == {
        "Make": "Honda",
        "Model": "Civic",
        "Year": "2004",
        "VIN": "1HGCM82633A004352",
    }
    assert "1HGCM" not in f"{error!r} {oauth_errors.AuthorizationFailedError(error)!r}"


@both
def test_callback_works_once(
    smartcar: str, fleet_with_version: FleetOf, owner: User, api_version: SmartcarApiVersion
) -> None:
    url = oauth.start(fleet=fleet_with_version(api_version), user=owner, session_secret=SESSION)
    params = authorize(smartcar, url, count=1)
    oauth.handle_callback(params=params, user=owner, session_secret=SESSION)
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=params, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.UNKNOWN_STATE


@pytest.mark.parametrize(
    "change", ["another session", "another person", "a made-up state", "no state", "too late"]
)
def test_invalid_callback_changes_nothing(
    smartcar: str, fleet: Fleet, owner: User, teammate: User, change: str
) -> None:
    params = authorize(smartcar, oauth.start(fleet=fleet, user=owner, session_secret=SESSION), count=1)
    user, session = owner, SESSION
    if change == "another session":
        session = "another"
    elif change == "another person":
        user = teammate
    elif change == "a made-up state":
        params["state"] = "made-up"
    elif change == "no state":
        del params["state"]
    else:
        AuthorizationRequest.objects.update(
            created_at=timezone.now() - AuthorizationRequest.LIFETIME - timedelta(seconds=1)
        )
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=params, user=user, session_secret=session)
    assert refusal.value.error == oauth_errors.UNKNOWN_STATE
    assert not Connection.objects.exists()


def test_forged_user_id_does_not_connect_vehicles_of_another_fleet(
    smartcar: str, fleet: Fleet, owner: User, outsider: User
) -> None:
    """An outsider returns from their own authorization with the ID of a user who shares vehicles with this fleet."""
    (victim,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    red = Fleet.objects.get(slug="red")
    params = authorize(smartcar, oauth.start(fleet=red, user=outsider, session_secret="s"), outcome="deny")
    forged = {"state": params["state"], "user_id": victim.smartcar_user_id, "code": "any"}
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=forged, user=outsider, session_secret="s")
    assert refusal.value.error == oauth_errors.UNCONFIRMED_USER
    assert not Connection.objects.filter(fleet=red).exists()


def test_callback_without_the_required_parameters_is_rejected(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    params = authorize(smartcar, oauth.start(fleet=fleet, user=owner, session_secret=SESSION), count=1)
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params={"state": params["state"]}, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.INCOMPLETE


def test_wrong_credentials_are_reported_as_our_error(
    smartcar: str, fleet: Fleet, owner: User, settings: Settings
) -> None:
    params = authorize(smartcar, oauth.start(fleet=fleet, user=owner, session_secret=SESSION), count=1)
    settings.SMARTCAR_CLIENT_SECRET = "wrong"
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=params, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.CREDENTIALS


def test_state_and_session_are_stored_only_as_hashes(fleet: Fleet, owner: User) -> None:
    url = oauth.start(fleet=fleet, user=owner, session_secret=SESSION)
    stored = str(list(AuthorizationRequest.objects.values()))
    assert SESSION not in stored
    assert not any(part in stored for part in url.split("state=")[1].split("&")[:1])


def test_v2_tokens_are_stored_encrypted(smartcar: str, fleet_with_version: FleetOf, owner: User) -> None:
    connect(smartcar, fleet=fleet_with_version(SmartcarApiVersion.V2), user=owner, count=1)
    tokens = UserToken.objects.get()
    assert bytes(tokens.access_ciphertext).startswith(b"gAAAA")
    assert bytes(tokens.refresh_ciphertext).startswith(b"gAAAA")
    assert timedelta(days=59) < tokens.refresh_expires_at - timezone.now() <= timedelta(days=60)


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owner_and_manager_can_start(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    assert (
        browser_of(request.getfixturevalue(person)).get("/fleets/blue/connections/start/").status_code
        == status
    )


def test_browser_goes_to_connect_and_returns_to_its_fleet(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    url = browser.get("/fleets/blue/connections/start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url, count=1), follow=True)
    (vehicle,) = fleet.vehicles.all()
    # There it gets a name.
    assert answer.redirect_chain == [(f"/fleets/blue/?new={vehicle.smartcar_id}", 302)]
    assert "connected" in answer.content.decode()
    assert "Name the new vehicle" in answer.content.decode()


def test_error_page_offers_the_next_step(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    url = browser.get("/fleets/blue/connections/start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url, outcome="deny"))
    assert answer.status_code == 400
    assert "Start again" in answer.content.decode()


def test_vin_of_an_incompatible_vehicle_is_shown_to_the_user_and_not_stored(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(owner)
    url = browser.get("/fleets/blue/connections/start/").headers["Location"]
    params = authorize(smartcar, url, outcome="vehicle_incompatible")
    params |= {"make": "HONDA", "model": "Civic", "year": "2004", "vin": "1HGCM82633A004352"}
    page = browser.get("/connect/callback/", params).content.decode()
    for shown in ("Honda", "Civic", "2004", "1HGCM82633A004352", "Start again"):
        assert shown in page
    assert "1HGCM82633A004352" not in f"{list(AuthorizationRequest.objects.values())}{caplog.text}"


def test_vehicle_details_in_the_callback_are_shown_only_if_they_are_plausible() -> None:
    params = {"make": "x" * 99, "model": "", "year": "next", "vin": "<b>not a vin</b>"}
    assert [
        label for label, _ in oauth_errors.error_for(error="vehicle_incompatible", params=params).vehicle
    ] == ["Make"]


DOCUMENTED = [
    "access_denied",
    "invalid_subscription",
    "no_vehicles",
    "vehicle_incompatible",
    "configuration_error",
    "server_error",
    "oem_cancelled_login",
    "user_manually_returned_to_application",
    "battery_capacity_no_selection",
]


@pytest.mark.parametrize("error", [*DOCUMENTED, "brand_new_error"])
def test_every_error_has_a_page_that_explains_the_next_step(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf, error: str
) -> None:
    browser = browser_of(owner)
    url = browser.get("/fleets/blue/connections/start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url, outcome=error))
    expected = oauth_errors.error_for(error=error)
    page = unescape(answer.content.decode())
    assert answer.status_code == 400
    assert expected.title in page
    assert expected.text in page
    assert "/fleets/blue/connections/start/" in page
    assert (expected == oauth_errors.error_for(error="another unknown one")) == (error == "brand_new_error")
    assert not Connection.objects.exists()


def _shared(name: str, at: datetime | None) -> SharedVehicle:
    return SharedVehicle(
        vehicle_id=name,
        user_id="user",
        external_id="id",
        make="",
        model="",
        year=None,
        powertrain="",
        mode="live",
        permissions=frozenset(),
        connection_id="",
        updated_at=at,
    )


@pytest.mark.parametrize("skew", [timedelta(hours=-2), timedelta(0), timedelta(seconds=90)])
def test_vehicles_of_this_authorization_are_told_by_smartcars_clock_alone(skew: timedelta) -> None:
    now = timezone.now() + skew
    listed = [
        _shared("granted now", now),
        _shared("granted a minute ago", now - timedelta(minutes=1)),
        _shared("granted to another fleet yesterday", now - timedelta(days=1)),
        _shared("never updated", None),
    ]
    granted = oauth.updated_within(listed, duration=timedelta(minutes=5))
    assert granted == {"granted now", "granted a minute ago"}


def test_without_update_times_no_vehicle_belongs_to_this_authorization() -> None:
    assert oauth.updated_within([_shared("a", None)], duration=timedelta(hours=1)) == frozenset()
