"""The Connect flow through the pages: brand, sign-in, vehicles, permissions, and every possible outcome."""

import re
from typing import Any

import httpx
import pytest

from simulator.connect.drivers import TEST_VINS
from simulator.permissions import PERMISSIONS
from simulator.rendering import NAMES
from tests.simulator.conftest import Simulate
from tests.simulator.harness import CREDENTIALS, REDIRECT, SimulatorHarness, get_query


class Visitor:
    """A driver with a browser who goes from page to page."""

    def __init__(self, sim: SimulatorHarness, url: str) -> None:
        self.sim = sim
        self.response = sim.client.get(url)
        self._follow()

    def _follow(self) -> None:
        while self.response.is_redirect and "/connect/" in self.response.headers["location"]:
            self.response = self.sim.client.get(self.response.headers["location"])

    @property
    def text(self) -> str:
        return str(self.response.text)

    @property
    def back(self) -> dict[str, str]:
        """Return the parameters of the redirect to the application."""
        assert self.response.is_redirect, self.response.text
        assert self.response.headers["location"].startswith(REDIRECT)
        return get_query(self.response.headers["location"])

    def click(self, label: str) -> "Visitor":
        """Follow the link with this text."""
        links = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', self.text, re.DOTALL)
        found = [href for href, content in links if label in re.sub(r"<[^>]+>", " ", content)]
        assert found, f"no link {label!r}"
        self.response = self.sim.client.get(found[0].replace("&amp;", "&"))
        self._follow()
        return self

    def submit(self, **fields: Any) -> "Visitor":
        """Fill the form of the page and send it."""
        action = re.search(r'<form method="post" action="([^"]+)"', self.text)
        assert action, "no form"
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.text))
        self.response = self.sim.client.post(action[1].replace("&amp;", "&"), data=hidden | fields)
        self._follow()
        return self

    def sign_in(self, email: str) -> "Visitor":
        return self.submit(email=email, password="anything")

    def boxes(self) -> list[str]:
        return re.findall(r'name="vehicle" value="([^"]+)"', self.text)


def account(sim: SimulatorHarness, *, vehicles: int = 1, make: str | None = None) -> Any:
    found = [
        each
        for each in sim.simulation.fleet.accounts.values()
        if len(each.vehicle_ids) >= vehicles and make in (None, each.make)
    ]
    return found[0]


def test_a_driver_clicks_from_brand_to_grant(sim: SimulatorHarness) -> None:
    owner = account(sim)
    visitor = Visitor(
        sim, sim.connect_url(state="s1", scope="read_odometer control_security", external_id="driver-7")
    )

    visitor.click(NAMES[owner.make]).sign_in(owner.email)
    assert "See its odometer" in visitor.text
    assert "Lock and unlock it" in visitor.text
    assert "Simulator" in visitor.text
    visitor.submit(vehicle=visitor.boxes(), answer="allow")

    back = visitor.back
    assert back.keys() == {"code", "user_id", "external_id", "state"}
    assert (back["state"], back["external_id"], back["user_id"]) == ("s1", "driver-7", owner.user_id)
    connections = sim.simulation.connections.select(user_id=owner.user_id)
    assert {each.vehicle_id for each in connections} == set(owner.vehicle_ids)
    assert connections[0].permissions == ("read_odometer", "control_security")


def test_only_the_chosen_vehicles_are_granted(sim: SimulatorHarness) -> None:
    owner = account(sim, vehicles=2)
    visitor = Visitor(sim, sim.connect_url(make=owner.make)).sign_in(owner.email)

    selected = visitor.boxes()[1]
    visitor.submit(vehicle=selected, answer="allow")

    pair = sim.exchange(visitor.back["code"])
    response = sim.client.get(
        "/api/v2.0/vehicles", headers={"Authorization": f"Bearer {pair['access_token']}"}
    )
    assert response.json() == {"vehicles": [selected], "paging": {"count": 1, "offset": 0}}


def test_granting_no_vehicle_shows_the_page_again(sim: SimulatorHarness) -> None:
    owner = account(sim)
    visitor = Visitor(sim, sim.connect_url(make=owner.make)).sign_in(owner.email).submit(answer="allow")

    assert visitor.response.status_code == 400
    assert "Please choose a vehicle." in visitor.text


def test_single_select_takes_one_vehicle_only(sim: SimulatorHarness) -> None:
    owner = account(sim, vehicles=2)
    visitor = Visitor(sim, sim.connect_url(make=owner.make, single_select="true")).sign_in(owner.email)
    assert 'type="radio"' in visitor.text

    visitor.submit(vehicle=list(owner.vehicle_ids), answer="allow")

    assert visitor.back["code"]
    assert len(sim.simulation.connections.select(user_id=owner.user_id)) == 1


def test_single_select_with_a_vin_offers_that_vehicle_only(sim: SimulatorHarness) -> None:
    owner = account(sim, vehicles=2)
    vehicle = sim.simulation.fleet.vehicles[owner.vehicle_ids[1]]
    url = sim.connect_url(single_select="true", single_select_vin=vehicle.vin, make="TESLA")

    visitor = Visitor(sim, url)
    assert owner.email in visitor.text
    visitor.sign_in(owner.email)

    assert visitor.boxes() == [vehicle.id]


def test_make_skips_the_brand_choice_and_search_narrows_it(sim: SimulatorHarness) -> None:
    assert "Sign in with your Tesla account" in Visitor(sim, sim.connect_url(make="TESLA")).text

    visitor = Visitor(sim, sim.connect_url(make="NOT_A_MAKE"))
    path = str(visitor.response.url.path)
    found = sim.client.get(path, params={"q": "vol"}).text
    assert "Volvo" in found
    assert "Tesla" not in found
    assert "No brand matches" in sim.client.get(path, params={"q": "trabant"}).text


def test_a_wrong_account_gets_an_error(sim: SimulatorHarness) -> None:
    visitor = Visitor(sim, sim.connect_url(make="TESLA")).sign_in("nobody@example.com")

    assert visitor.response.status_code == 400
    assert "No account with this email exists at this brand." in visitor.text


def test_denying_access_goes_back_with_the_error(sim: SimulatorHarness) -> None:
    owner = account(sim)
    visitor = (
        Visitor(sim, sim.connect_url(make=owner.make, state="s2")).sign_in(owner.email).submit(answer="deny")
    )

    assert visitor.back == {
        "error": "access_denied",
        "error_description": "User denied access to application.",
        "state": "s2",
    }
    assert not sim.simulation.connections.by_key


@pytest.mark.parametrize(
    ("email", "error"),
    [
        ("smartcar@invalid-subscription.com", "invalid_subscription"),
        ("smartcar@vehicle-incompatible.com", "vehicle_incompatible"),
        ("CONNECTED_SERVICES_ACCOUNT.NO_VEHICLES@smartcar.com", "no_vehicles"),
    ],
)
def test_the_documented_addresses_end_connect_with_their_error(
    sim: SimulatorHarness, email: str, error: str
) -> None:
    visitor = Visitor(sim, sim.connect_url(make="AUDI", mode="simulated")).sign_in(email)
    visitor.click("Back to application")

    assert visitor.back["error"] == error


def test_leaving_early_returns_an_error(sim: SimulatorHarness) -> None:
    first = Visitor(sim, sim.connect_url()).click("Back to application")
    second = Visitor(sim, sim.connect_url(make="TESLA")).click("Cancel")
    third = Visitor(sim, sim.connect_url()).click("I don’t see my brand").click("Back to application")

    assert first.back["error"] == "user_manually_returned_to_application"
    assert second.back["error"] == "oem_cancelled_login"
    assert third.back["error"] == "vehicle_incompatible"


def test_a_vehicle_that_lacks_a_required_permission_is_incompatible_in_the_us(sim: SimulatorHarness) -> None:
    vehicle = next(each for each in sim.simulation.fleet.vehicles.values() if each.powertrain == "BEV")
    owner = next(
        each for each in sim.simulation.fleet.accounts.values() if tuple(each.vehicle_ids) == (vehicle.id,)
    )
    scope = "required:read_fuel read_odometer"

    visitor = Visitor(sim, sim.connect_url(make=vehicle.make, scope=scope)).sign_in(owner.email)
    back = visitor.click("Back to application").back
    assert back["error"] == "vehicle_incompatible"
    assert (back["vin"], back["make"], back["model"], back["year"]) == (
        vehicle.vin,
        vehicle.make,
        vehicle.model,
        str(vehicle.year),
    )

    germany = Visitor(sim, sim.connect_url(make=vehicle.make, scope=scope, flags="country:DE")).sign_in(
        owner.email
    )
    assert germany.boxes() == [vehicle.id]


def test_skipping_ahead_in_the_flow_is_a_configuration_error(sim: SimulatorHarness) -> None:
    visitor = Visitor(sim, sim.connect_url())

    response = sim.client.get(str(visitor.response.url.path).replace("/brand", "/grant"))

    back = get_query(response.headers["location"])
    assert (back["error"], back["status_code"]) == ("configuration_error", "400")
    assert back["error_message"]


def test_a_test_vin_in_live_mode_is_a_configuration_error(sim: SimulatorHarness) -> None:
    vin = next(iter(TEST_VINS))
    visitor = Visitor(sim, sim.connect_url(single_select="true", single_select_vin=vin))

    back = visitor.click("Back to application").back

    assert back["error"] == "configuration_error"
    assert back["error_message"].startswith("You have entered a test mode VIN.")


@pytest.mark.parametrize("mode", ["live", "simulated"])
def test_approval_is_requested_once_unless_forced(sim: SimulatorHarness, mode: str) -> None:
    owner = account(sim)
    sim.grant(email=owner.email, parameters={"scope": "read_odometer read_vin", "mode": mode})

    again = Visitor(sim, sim.connect_url(make=owner.make, scope="read_odometer")).sign_in(owner.email)
    more = Visitor(sim, sim.connect_url(make=owner.make, scope="read_battery")).sign_in(owner.email)
    forced = sim.connect_url(make=owner.make, scope="read_odometer", approval_prompt="force")

    assert again.back["code"]
    assert "Allow access" in more.text
    assert "Allow access" in Visitor(sim, forced).sign_in(owner.email).text


@pytest.mark.parametrize(
    "parameters",
    [
        {"client_id": "another client"},
        {"client_id": ""},
        {"response_type": "token"},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": "http://localhost.evil.example/"},
        {"redirect_uri": ""},
        {"scope": "read_minds"},
        {"mode": "dreamed"},
    ],
)
def test_an_invalid_address_does_not_redirect(sim: SimulatorHarness, parameters: dict[str, str]) -> None:
    response = sim.client.get(sim.connect_url(**parameters))

    assert response.status_code == 400
    assert "This link doesn&#39;t work" in response.text


def test_registered_redirect_uris_are_the_only_ones_and_the_first_is_the_default(simulate: Simulate) -> None:
    sim = simulate(redirect_uris=("https://one.example/a", "https://one.example/b"))

    assert sim.client.get(sim.connect_url()).status_code == 400
    back = sim.client.post(
        "/control/grants", json={"url": sim.connect_url(redirect_uri="https://one.example/b")}
    )
    default = sim.client.post("/control/grants", json={"url": sim.connect_url(redirect_uri="")})

    assert back.json()["redirect"].startswith("https://one.example/b?")
    assert default.json()["redirect"].startswith("https://one.example/a?")


def test_the_user_id_can_have_the_name_of_the_migration_guide(simulate: Simulate) -> None:
    back = simulate(user_id_name="userId").grant()

    assert "user_id" not in back
    assert len(back["userId"]) == 36


def test_the_new_parameter_names_are_accepted(sim: SimulatorHarness) -> None:
    url = sim.connect_url(client_id="", application_id=CREDENTIALS.application_id)

    assert sim.grant(url=url)["user_id"]


def test_response_type_none_ends_on_smartcars_own_page(sim: SimulatorHarness) -> None:
    owner = account(sim)
    visitor = Visitor(sim, sim.connect_url(make=owner.make, response_type="none", redirect_uri="")).sign_in(
        owner.email
    )

    visitor.submit(vehicle=visitor.boxes(), answer="allow")

    assert "You’re done" in visitor.text
    assert sim.simulation.connections.select(user_id=owner.user_id)
    assert not sim.simulation.tokens.codes


def test_without_a_scope_every_permission_is_requested(sim: SimulatorHarness) -> None:
    back = sim.grant()

    connection = sim.simulation.connections.select(user_id=back["user_id"])[0]
    assert set(connection.permissions) == set(PERMISSIONS)


def test_the_external_id_is_replaced_by_each_session_and_can_be_cleared(sim: SimulatorHarness) -> None:
    owner = account(sim)

    def stored(**parameters: str) -> str | None:
        sim.grant(email=owner.email, parameters={"approval_prompt": "force"} | parameters)
        return sim.simulation.connections.users[owner.user_id].external_id

    assert stored(external_id="one") == "one"
    assert stored(external_id="two") == "two"
    assert stored() == "two"
    assert stored(external_id="") is None


def test_reconnecting_changes_the_connection_but_not_vehicle_and_user(sim: SimulatorHarness) -> None:
    owner = account(sim)
    first = sim.simulation.connections.select(user_id=sim.grant(email=owner.email)["user_id"])[0]
    second = sim.simulation.connections.select(user_id=sim.grant(email=owner.email)["user_id"])[0]

    assert first.id != second.id
    assert (first.user_id, first.vehicle_id) == (second.user_id, second.vehicle_id)


# -- re-authentication -------------------------------------------------------------------------------------


def reauthentication(sim: SimulatorHarness, vehicle_id: str, **more: str) -> str:
    return sim.connect_url("reauthenticate", response_type="vehicle_id", vehicle_id=vehicle_id, **more)


def test_re_authentication_renews_the_login(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    sim.inject_faults(reauthenticate=[driver.user_id])
    refused = driver.get("/odometer").json()
    assert (refused["type"], refused["code"]) == ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED")
    resolution = refused["resolution"]
    assert resolution["type"] == "REAUTHENTICATE"

    owner = sim.simulation.connections.users[driver.user_id]
    url = httpx.URL(resolution["url"]).copy_merge_params({"redirect_uri": REDIRECT, "state": "r1"})
    visitor = Visitor(sim, str(url)).sign_in(owner.email)

    assert visitor.back == {"vehicle_id": driver.vehicle_id, "state": "r1"}
    assert driver.get("/odometer").status_code == 200


def test_re_authentication_needs_the_account_that_has_the_vehicle(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    make = sim.simulation.fleet.vehicles[driver.vehicle_id].make
    others = [each for each in sim.simulation.fleet.get_accounts(make) if each.user_id != driver.user_id]
    visitor = Visitor(sim, reauthentication(sim, driver.vehicle_id))

    if others:
        visitor.sign_in(others[0].email)
    else:
        visitor.sign_in("2-vehicles@smartcar.com")

    assert "have the vehicle to reconnect" in visitor.text


def test_re_authentication_of_an_unconnected_vehicle_does_not_redirect(sim: SimulatorHarness) -> None:
    vehicle_id = next(iter(sim.simulation.fleet.vehicles))

    assert sim.client.get(reauthentication(sim, vehicle_id)).status_code == 400


# -- battery capacity --------------------------------------------------------------------------------------


def ambiguous(sim: SimulatorHarness) -> Any:
    """Return an account with a vehicle whose capacity only the driver knows."""
    for owner in sim.simulation.fleet.accounts.values():
        body = (
            sim.simulation.fleet.vehicles[owner.vehicle_ids[0]]
            .signal("tractionbattery-nominalcapacity", now=sim.simulation.now())
            .body
        )
        if len(owner.vehicle_ids) == 1 and body is not None and body["capacity"] is None:
            return owner
    raise AssertionError("no vehicle with an unknown capacity")


def test_connect_asks_for_an_unknown_capacity(sim: SimulatorHarness) -> None:
    owner = ambiguous(sim)
    visitor = Visitor(sim, sim.connect_url(make=owner.make, scope="read_battery")).sign_in(owner.email)
    visitor.submit(vehicle=visitor.boxes(), answer="allow")
    assert "Which battery does your car have?" in visitor.text
    choices = re.findall(r'name="capacity" value="([^"]+)"', visitor.text)

    visitor.submit(capacity=choices[-1])

    headers = {"Authorization": f"Bearer {sim.exchange(visitor.back['code'])['access_token']}"}
    response = sim.client.get(
        f"/api/v2.0/vehicles/{owner.vehicle_ids[0]}/battery/nominal_capacity", headers=headers
    )
    assert response.json()["capacity"] == {"nominal": float(choices[-1]), "source": "USER_SELECTED"}


def test_the_address_of_nominal_capacity_lets_the_driver_choose(sim: SimulatorHarness) -> None:
    driver = sim.driver(email=ambiguous(sim).email)
    response = driver.get("/battery/nominal_capacity").json()
    assert response["capacity"] is None

    visitor = Visitor(sim, response["url"] + REDIRECT)
    choices = re.findall(r'name="capacity" value="([^"]+)"', visitor.text)
    visitor.submit(capacity=choices[0])

    selected = visitor.back
    assert (selected["vehicle_id"], selected["reason"]) == (driver.vehicle_id, "battery_capacity")
    assert float(selected["selected_capacity"]) == float(choices[0])
    assert driver.get("/battery/nominal_capacity").json()["capacity"]["source"] == "USER_SELECTED"


def test_not_knowing_the_capacity_is_an_error_of_its_own(sim: SimulatorHarness) -> None:
    driver = sim.driver(email=ambiguous(sim).email)
    visitor = Visitor(sim, driver.get("/battery/nominal_capacity").json()["url"] + REDIRECT).submit(
        unknown="yes"
    )

    assert visitor.back["error"] == "battery_capacity_no_selection"


def test_an_old_capacity_address_leads_to_re_authentication(sim: SimulatorHarness) -> None:
    driver = sim.driver(email=ambiguous(sim).email)
    url = driver.get("/battery/nominal_capacity").json()["url"] + REDIRECT
    sim.simulation.clock.advance(31 * 86400)

    response = sim.client.get(url)

    assert "/connect/oauth/reauthenticate" in response.headers["location"]


def test_without_a_token_the_driver_signs_in_and_answers_afterwards(sim: SimulatorHarness) -> None:
    owner = ambiguous(sim)
    driver = sim.driver(email=owner.email)
    url = re.sub("token=[^&]+&", "", driver.get("/battery/nominal_capacity").json()["url"]) + REDIRECT

    visitor = Visitor(sim, url).submit(email=owner.email, make=owner.make)
    choices = re.findall(r'name="capacity" value="([^"]+)"', visitor.text)
    visitor.submit(capacity=choices[0])

    assert visitor.back["reason"] == "battery_capacity"


# -- test addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "email",
    [each for each in TEST_VINS.values() if "NO_VEHICLES" not in each and each.endswith("@smartcar.com")],
)
def test_the_documented_addresses_produce_their_api_error(sim: SimulatorHarness, email: str) -> None:
    kind, _, code = email.removesuffix("@smartcar.com").partition(".")
    back = sim.grant(email=email, make="CHEVROLET", parameters={"mode": "simulated"})
    headers = {"Authorization": f"Bearer {sim.exchange(back['code'])['access_token']}"}
    vehicle_id = sim.client.get("/api/v2.0/vehicles", headers=headers).json()["vehicles"][0]

    response = sim.client.get(f"/api/v2.0/vehicles/{vehicle_id}/odometer", headers=headers)

    assert (response.json()["type"], response.json()["code"]) == (kind, code)
    assert response.status_code == response.json()["statusCode"]


def test_an_address_with_many_vehicles_has_them(sim: SimulatorHarness) -> None:
    back = sim.grant(count=12)

    assert len(sim.simulation.connections.select(user_id=back["user_id"])) == 12


def test_the_pages_load_nothing_from_other_hosts(sim: SimulatorHarness) -> None:
    visitor = Visitor(sim, sim.connect_url())

    style = sim.client.get("/connect/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "http" not in style.text
    assert "<script" not in visitor.text
    assert visitor.response.headers["content-security-policy"].startswith("default-src 'none'")
