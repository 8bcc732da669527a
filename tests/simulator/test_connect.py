"""The Connect flow through the pages: brand, sign-in, vehicles, permissions, and every possible end."""

import re
from typing import Any

import httpx
import pytest

from simulator.connect.drivers import TEST_VINS
from simulator.permissions import PERMISSIONS
from simulator.rendering import NAMES
from tests.simulator.conftest import Simulate
from tests.simulator.harness import CREDENTIALS, REDIRECT, SimulatorHarness, query_of


class Visitor:
    """A driver with a browser who goes from page to page."""

    def __init__(self, sim: SimulatorHarness, url: str) -> None:
        self.sim = sim
        self.answer = sim.client.get(url)
        self._follow()

    def _follow(self) -> None:
        while self.answer.is_redirect and "/connect/" in self.answer.headers["location"]:
            self.answer = self.sim.client.get(self.answer.headers["location"])

    @property
    def text(self) -> str:
        return str(self.answer.text)

    @property
    def back(self) -> dict[str, str]:
        """Return the parameters of the redirect to the application."""
        assert self.answer.is_redirect, self.answer.text
        assert self.answer.headers["location"].startswith(REDIRECT)
        return query_of(self.answer.headers["location"])

    def click(self, words: str) -> "Visitor":
        """Follow the link with this text."""
        links = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', self.text, re.DOTALL)
        found = [href for href, inside in links if words in re.sub(r"<[^>]+>", " ", inside)]
        assert found, f"no link {words!r}"
        self.answer = self.sim.client.get(found[0].replace("&amp;", "&"))
        self._follow()
        return self

    def submit(self, **fields: Any) -> "Visitor":
        """Fill the form of the page and send it."""
        action = re.search(r'<form method="post" action="([^"]+)"', self.text)
        assert action, "no form"
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.text))
        self.answer = self.sim.client.post(action[1].replace("&amp;", "&"), data=hidden | fields)
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
    who = account(sim)
    visit = Visitor(
        sim, sim.connect_url(state="s1", scope="read_odometer control_security", external_id="driver-7")
    )

    visit.click(NAMES[who.make]).sign_in(who.email)
    assert "See its odometer" in visit.text
    assert "Lock and unlock it" in visit.text
    assert "Simulator" in visit.text
    visit.submit(vehicle=visit.boxes(), answer="allow")

    back = visit.back
    assert back.keys() == {"code", "user_id", "external_id", "state"}
    assert (back["state"], back["external_id"], back["user_id"]) == ("s1", "driver-7", who.user_id)
    held = sim.simulation.connections.select(user_id=who.user_id)
    assert {each.vehicle_id for each in held} == set(who.vehicle_ids)
    assert held[0].permissions == ("read_odometer", "control_security")


def test_only_the_chosen_vehicles_are_granted(sim: SimulatorHarness) -> None:
    who = account(sim, vehicles=2)
    visit = Visitor(sim, sim.connect_url(make=who.make)).sign_in(who.email)

    chosen = visit.boxes()[1]
    visit.submit(vehicle=chosen, answer="allow")

    pair = sim.exchange(visit.back["code"])
    answer = sim.client.get("/api/v2.0/vehicles", headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert answer.json() == {"vehicles": [chosen], "paging": {"count": 1, "offset": 0}}


def test_granting_no_vehicle_asks_again(sim: SimulatorHarness) -> None:
    who = account(sim)
    visit = Visitor(sim, sim.connect_url(make=who.make)).sign_in(who.email).submit(answer="allow")

    assert visit.answer.status_code == 400
    assert "Please choose a vehicle." in visit.text


def test_single_select_takes_one_vehicle_only(sim: SimulatorHarness) -> None:
    who = account(sim, vehicles=2)
    visit = Visitor(sim, sim.connect_url(make=who.make, single_select="true")).sign_in(who.email)
    assert 'type="radio"' in visit.text

    visit.submit(vehicle=list(who.vehicle_ids), answer="allow")

    assert visit.back["code"]
    assert len(sim.simulation.connections.select(user_id=who.user_id)) == 1


def test_single_select_with_a_vin_offers_that_vehicle_only(sim: SimulatorHarness) -> None:
    who = account(sim, vehicles=2)
    vehicle = sim.simulation.fleet.vehicles[who.vehicle_ids[1]]
    url = sim.connect_url(single_select="true", single_select_vin=vehicle.vin, make="TESLA")

    visit = Visitor(sim, url)
    assert who.email in visit.text
    visit.sign_in(who.email)

    assert visit.boxes() == [vehicle.id]


def test_make_skips_the_brand_choice_and_search_narrows_it(sim: SimulatorHarness) -> None:
    assert "Sign in with your Tesla account" in Visitor(sim, sim.connect_url(make="TESLA")).text

    visit = Visitor(sim, sim.connect_url(make="NOT_A_MAKE"))
    path = str(visit.answer.url.path)
    found = sim.client.get(path, params={"q": "vol"}).text
    assert "Volvo" in found
    assert "Tesla" not in found
    assert "No brand matches" in sim.client.get(path, params={"q": "trabant"}).text


def test_a_wrong_account_gets_an_error(sim: SimulatorHarness) -> None:
    visit = Visitor(sim, sim.connect_url(make="TESLA")).sign_in("nobody@example.com")

    assert visit.answer.status_code == 400
    assert "No account with this email exists at this brand." in visit.text


def test_denying_access_goes_back_with_the_error(sim: SimulatorHarness) -> None:
    who = account(sim)
    visit = Visitor(sim, sim.connect_url(make=who.make, state="s2")).sign_in(who.email).submit(answer="deny")

    assert visit.back == {
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
    visit = Visitor(sim, sim.connect_url(make="AUDI", mode="simulated")).sign_in(email)
    visit.click("Back to application")

    assert visit.back["error"] == error


def test_leaving_early_says_so(sim: SimulatorHarness) -> None:
    first = Visitor(sim, sim.connect_url()).click("Back to application")
    second = Visitor(sim, sim.connect_url(make="TESLA")).click("Cancel")
    third = Visitor(sim, sim.connect_url()).click("I don’t see my brand").click("Back to application")

    assert first.back["error"] == "user_manually_returned_to_application"
    assert second.back["error"] == "oem_cancelled_login"
    assert third.back["error"] == "vehicle_incompatible"


def test_a_vehicle_that_lacks_a_required_permission_is_incompatible_in_the_us(sim: SimulatorHarness) -> None:
    vehicle = next(each for each in sim.simulation.fleet.vehicles.values() if each.powertrain == "BEV")
    who = next(
        each for each in sim.simulation.fleet.accounts.values() if tuple(each.vehicle_ids) == (vehicle.id,)
    )
    scope = "required:read_fuel read_odometer"

    visit = Visitor(sim, sim.connect_url(make=vehicle.make, scope=scope)).sign_in(who.email)
    back = visit.click("Back to application").back
    assert back["error"] == "vehicle_incompatible"
    assert (back["vin"], back["make"], back["model"], back["year"]) == (
        vehicle.vin,
        vehicle.make,
        vehicle.model,
        str(vehicle.year),
    )

    germany = Visitor(sim, sim.connect_url(make=vehicle.make, scope=scope, flags="country:DE")).sign_in(
        who.email
    )
    assert germany.boxes() == [vehicle.id]


def test_going_ahead_of_the_flow_is_a_configuration_error(sim: SimulatorHarness) -> None:
    visit = Visitor(sim, sim.connect_url())

    answer = sim.client.get(str(visit.answer.url.path).replace("/brand", "/grant"))

    back = query_of(answer.headers["location"])
    assert (back["error"], back["status_code"]) == ("configuration_error", "400")
    assert back["error_message"]


def test_a_test_vin_in_live_mode_is_a_configuration_error(sim: SimulatorHarness) -> None:
    vin = next(iter(TEST_VINS))
    visit = Visitor(sim, sim.connect_url(single_select="true", single_select_vin=vin))

    back = visit.click("Back to application").back

    assert back["error"] == "configuration_error"
    assert back["error_message"].startswith("You have entered a test mode VIN.")


@pytest.mark.parametrize("mode", ["live", "simulated"])
def test_approval_is_asked_once_unless_forced(sim: SimulatorHarness, mode: str) -> None:
    who = account(sim)
    sim.grant(email=who.email, parameters={"scope": "read_odometer read_vin", "mode": mode})

    again = Visitor(sim, sim.connect_url(make=who.make, scope="read_odometer")).sign_in(who.email)
    more = Visitor(sim, sim.connect_url(make=who.make, scope="read_battery")).sign_in(who.email)
    forced = sim.connect_url(make=who.make, scope="read_odometer", approval_prompt="force")

    assert again.back["code"]
    assert "Allow access" in more.text
    assert "Allow access" in Visitor(sim, forced).sign_in(who.email).text


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
def test_a_wrong_address_sends_the_browser_nowhere(sim: SimulatorHarness, parameters: dict[str, str]) -> None:
    answer = sim.client.get(sim.connect_url(**parameters))

    assert answer.status_code == 400
    assert "This link doesn&#39;t work" in answer.text


def test_registered_redirect_uris_are_the_only_ones_and_the_first_is_the_default(simulate: Simulate) -> None:
    sim = simulate(redirect_uris=("https://one.example/a", "https://one.example/b"))

    assert sim.client.get(sim.connect_url()).status_code == 400
    back = sim.client.post(
        "/control/grants", json={"url": sim.connect_url(redirect_uri="https://one.example/b")}
    )
    default = sim.client.post("/control/grants", json={"url": sim.connect_url(redirect_uri="")})

    assert back.json()["redirect"].startswith("https://one.example/b?")
    assert default.json()["redirect"].startswith("https://one.example/a?")


def test_the_users_id_may_have_the_migration_guides_name(simulate: Simulate) -> None:
    back = simulate(user_id_name="userId").grant()

    assert "user_id" not in back
    assert len(back["userId"]) == 36


def test_the_new_names_of_parameters_are_taken(sim: SimulatorHarness) -> None:
    url = sim.connect_url(client_id="", application_id=CREDENTIALS.application_id)

    assert sim.grant(url=url)["user_id"]


def test_response_type_none_ends_on_smartcars_own_page(sim: SimulatorHarness) -> None:
    who = account(sim)
    visit = Visitor(sim, sim.connect_url(make=who.make, response_type="none", redirect_uri="")).sign_in(
        who.email
    )

    visit.submit(vehicle=visit.boxes(), answer="allow")

    assert "You’re done" in visit.text
    assert sim.simulation.connections.select(user_id=who.user_id)
    assert not sim.simulation.tokens.codes


def test_without_a_scope_every_permission_is_asked_for(sim: SimulatorHarness) -> None:
    back = sim.grant()

    held = sim.simulation.connections.select(user_id=back["user_id"])[0]
    assert set(held.permissions) == set(PERMISSIONS)


def test_the_external_id_is_replaced_by_each_session_and_can_be_cleared(sim: SimulatorHarness) -> None:
    who = account(sim)

    def stored(**parameters: str) -> str | None:
        sim.grant(email=who.email, parameters={"approval_prompt": "force"} | parameters)
        return sim.simulation.connections.users[who.user_id].external_id

    assert stored(external_id="one") == "one"
    assert stored(external_id="two") == "two"
    assert stored() == "two"
    assert stored(external_id="") is None


def test_reconnecting_changes_the_connection_but_not_vehicle_and_user(sim: SimulatorHarness) -> None:
    who = account(sim)
    first = sim.simulation.connections.select(user_id=sim.grant(email=who.email)["user_id"])[0]
    second = sim.simulation.connections.select(user_id=sim.grant(email=who.email)["user_id"])[0]

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

    who = sim.simulation.connections.users[driver.user_id]
    url = httpx.URL(resolution["url"]).copy_merge_params({"redirect_uri": REDIRECT, "state": "r1"})
    visit = Visitor(sim, str(url)).sign_in(who.email)

    assert visit.back == {"vehicle_id": driver.vehicle_id, "state": "r1"}
    assert driver.get("/odometer").status_code == 200


def test_re_authentication_needs_the_account_that_holds_the_vehicle(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    make = sim.simulation.fleet.vehicles[driver.vehicle_id].make
    others = [each for each in sim.simulation.fleet.get_accounts(make) if each.user_id != driver.user_id]
    visit = Visitor(sim, reauthentication(sim, driver.vehicle_id))

    if others:
        visit.sign_in(others[0].email)
    else:
        visit.sign_in("2-vehicles@smartcar.com")

    assert "have the vehicle to reconnect" in visit.text


def test_re_authentication_of_an_unconnected_vehicle_goes_nowhere(sim: SimulatorHarness) -> None:
    vehicle_id = next(iter(sim.simulation.fleet.vehicles))

    assert sim.client.get(reauthentication(sim, vehicle_id)).status_code == 400


# -- battery capacity --------------------------------------------------------------------------------------


def ambiguous(sim: SimulatorHarness) -> Any:
    """Return an account with a vehicle whose capacity only the driver knows."""
    for who in sim.simulation.fleet.accounts.values():
        body = (
            sim.simulation.fleet.vehicles[who.vehicle_ids[0]]
            .signal("tractionbattery-nominalcapacity", now=sim.simulation.now())
            .body
        )
        if len(who.vehicle_ids) == 1 and body is not None and body["capacity"] is None:
            return who
    raise AssertionError("no vehicle with an unknown capacity")


def test_connect_asks_for_an_unknown_capacity(sim: SimulatorHarness) -> None:
    who = ambiguous(sim)
    visit = Visitor(sim, sim.connect_url(make=who.make, scope="read_battery")).sign_in(who.email)
    visit.submit(vehicle=visit.boxes(), answer="allow")
    assert "Which battery does your car have?" in visit.text
    choices = re.findall(r'name="capacity" value="([^"]+)"', visit.text)

    visit.submit(capacity=choices[-1])

    headers = {"Authorization": f"Bearer {sim.exchange(visit.back['code'])['access_token']}"}
    answer = sim.client.get(
        f"/api/v2.0/vehicles/{who.vehicle_ids[0]}/battery/nominal_capacity", headers=headers
    )
    assert answer.json()["capacity"] == {"nominal": float(choices[-1]), "source": "USER_SELECTED"}


def test_the_address_of_nominal_capacity_lets_the_driver_choose(sim: SimulatorHarness) -> None:
    driver = sim.driver(email=ambiguous(sim).email)
    answer = driver.get("/battery/nominal_capacity").json()
    assert answer["capacity"] is None

    visit = Visitor(sim, answer["url"] + REDIRECT)
    choices = re.findall(r'name="capacity" value="([^"]+)"', visit.text)
    visit.submit(capacity=choices[0])

    chosen = visit.back
    assert (chosen["vehicle_id"], chosen["reason"]) == (driver.vehicle_id, "battery_capacity")
    assert float(chosen["selected_capacity"]) == float(choices[0])
    assert driver.get("/battery/nominal_capacity").json()["capacity"]["source"] == "USER_SELECTED"


def test_not_knowing_the_capacity_is_an_error_of_its_own(sim: SimulatorHarness) -> None:
    driver = sim.driver(email=ambiguous(sim).email)
    visit = Visitor(sim, driver.get("/battery/nominal_capacity").json()["url"] + REDIRECT).submit(
        unknown="yes"
    )

    assert visit.back["error"] == "battery_capacity_no_selection"


def test_an_old_capacity_address_leads_to_re_authentication(sim: SimulatorHarness) -> None:
    driver = sim.driver(email=ambiguous(sim).email)
    url = driver.get("/battery/nominal_capacity").json()["url"] + REDIRECT
    sim.simulation.clock.advance(31 * 86400)

    answer = sim.client.get(url)

    assert "/connect/oauth/reauthenticate" in answer.headers["location"]


def test_without_a_token_the_driver_signs_in_and_is_asked_afterwards(sim: SimulatorHarness) -> None:
    who = ambiguous(sim)
    driver = sim.driver(email=who.email)
    url = re.sub("token=[^&]+&", "", driver.get("/battery/nominal_capacity").json()["url"]) + REDIRECT

    visit = Visitor(sim, url).submit(email=who.email, make=who.make)
    choices = re.findall(r'name="capacity" value="([^"]+)"', visit.text)
    visit.submit(capacity=choices[0])

    assert visit.back["reason"] == "battery_capacity"


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

    answer = sim.client.get(f"/api/v2.0/vehicles/{vehicle_id}/odometer", headers=headers)

    assert (answer.json()["type"], answer.json()["code"]) == (kind, code)
    assert answer.status_code == answer.json()["statusCode"]


def test_an_address_with_many_vehicles_has_them(sim: SimulatorHarness) -> None:
    back = sim.grant(count=12)

    assert len(sim.simulation.connections.select(user_id=back["user_id"])) == 12


def test_the_pages_ask_nothing_of_other_hosts(sim: SimulatorHarness) -> None:
    visit = Visitor(sim, sim.connect_url())

    style = sim.client.get("/connect/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "http" not in style.text
    assert "<script" not in visit.text
    assert visit.answer.headers["content-security-policy"].startswith("default-src 'none'")
