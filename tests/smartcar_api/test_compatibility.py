"""The compatibility API: models of a region (v3), and a VIN (v2), against the simulator and damaged answers."""

import os
from typing import Any

import httpx
import pytest

from smartcar_api import CompatibilityApi, Credentials, SmartcarError
from tests.servers import Simulator
from tests.smartcar_api.conftest import Host, origins_at, respond
from vehicles.signal_permissions import PERMISSIONS, permission_for


@pytest.fixture
def api(simulator: Simulator) -> CompatibilityApi:
    credentials = Credentials(
        application_id=os.environ["SMARTCAR_APPLICATION_ID"],
        application_secret=os.environ["SMARTCAR_APPLICATION_SECRET"],
        client_id="",
        client_secret="",
        management_tokens=(),
    )
    return CompatibilityApi(origins=origins_at(simulator.url), credentials=credentials)


def test_models_name_their_years_powertrain_signals_and_commands(api: CompatibilityApi) -> None:
    models = api.models(region="US", make="TESLA")
    assert models
    assert {(each.make, each.region) for each in models} == {("TESLA", "US")}
    model = next(each for each in models if each.model == "Model 3")
    assert model.powertrain == "BEV"
    assert model.first_year is not None
    assert model.last_year is not None
    assert model.first_year < model.last_year
    assert "security-lock" in model.commands
    assert all(permission == permission_for(code) for code, permission in model.signals.items())


def test_a_make_that_smartcar_does_not_connect_has_no_models(api: CompatibilityApi) -> None:
    assert api.models(region="EUROPE", make="TRABANT") == ()


def test_a_region_that_does_not_exist_is_not_asked_for(api: CompatibilityApi) -> None:
    with pytest.raises(SmartcarError, match="region"):
        api.models(region="MARS", make="TESLA")


def test_a_vin_is_compatible_and_capable_of_what_its_model_has(
    api: CompatibilityApi, simulator: Simulator
) -> None:
    vehicles = httpx.get(f"{simulator.url}/control/vehicles", params={"make": "TESLA"}).json()["vehicles"]
    found = api.check_vin(vin=vehicles[0]["vin"], permissions=PERMISSIONS)
    assert (found.compatible, found.reason) == (True, "")
    capable = {each.permission: each.capable for each in found.capabilities}
    assert capable["read_battery"] is True
    assert capable["read_fuel"] is False
    assert {each.reason for each in found.capabilities if not each.capable} == {"VEHICLE_NOT_CAPABLE"}


def test_an_unknown_vin_is_not_compatible(api: CompatibilityApi) -> None:
    found = api.check_vin(vin="ZZZZZZZZZZZZZZZZZ", permissions=["read_vin"])
    assert (found.compatible, found.reason, found.capabilities) == (False, "MAKE_NOT_COMPATIBLE", ())


def test_wrong_credentials_are_reported_without_the_secret(simulator: Simulator) -> None:
    credentials = Credentials("app", "wrong-secret-of-the-app", "", "", ())
    api = CompatibilityApi(origins=origins_at(simulator.url), credentials=credentials)
    with pytest.raises(SmartcarError) as failure:
        api.check_vin(vin="5YJ3E1EA7KF000001", permissions=["read_vin"])
    assert failure.value.unauthorized
    assert "wrong-secret" not in repr(failure.value)
    assert "wrong-secret" not in repr(api)


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {}}, {"compatible": "yes"}, [], {"errors": []}], ids=repr
)
def test_an_answer_of_another_form_is_an_error(host: Host, body: Any) -> None:
    host.reply_with(respond(200, body))
    api = CompatibilityApi(origins=origins_at(host.origin), credentials=Credentials("a", "b", "", "", ()))
    with pytest.raises(SmartcarError):
        api.models(region="US", make="TESLA")
    with pytest.raises(SmartcarError):
        api.check_vin(vin="5YJ3E1EA7KF000001", permissions=["read_vin"])


def test_entries_of_another_form_cost_only_themselves(host: Host) -> None:
    good = {
        "make": "KIA",
        "model": "EV6",
        "region": "US",
        "capabilities": [{"type": "signal", "code": "odometer-traveleddistance"}, {"code": 5}, None],
    }
    host.reply_with(
        respond(200, {"data": [None, {"attributes": good}, {"attributes": {"make": "AUDI"}}, {}]})
    )
    api = CompatibilityApi(origins=origins_at(host.origin), credentials=Credentials("a", "b", "", "", ()))
    (model,) = api.models(region="US", make="KIA")
    assert (model.first_year, model.powertrain) == (None, "")
    assert model.signals == {"odometer-traveleddistance": ""}
