"""Charge schedules of v3: what is sent, and what is rejected before sending."""

import json
from typing import Any

import pytest

from smartcar_api import Access, ChargeSchedule, CommandOutcome, SmartcarError, V2Api, V3Api, Window
from smartcar_api.schedules import schedule_attributes
from tests.smartcar_api.conftest import CAR, Host, respond

NIGHT = Window("22:00", "06:00")
HOME = {"latitude": 52.5, "longitude": -13.25}
SENT = {"startTime": "22:00", "stopTime": "06:00"}


def schedule(kind: str, windows: dict[str, Window]) -> ChargeSchedule:
    return ChargeSchedule(type=kind, latitude=52.5, longitude=-13.25, windows=windows)


TYPES: list[tuple[ChargeSchedule, dict[str, Any]]] = [
    (schedule("daily", {"every_day": NIGHT}), {"location": HOME, **SENT}),
    (
        schedule("weekly", {"monday": NIGHT, "sunday": Window("00:00", "23:59")}),
        {
            "location": HOME,
            "days": {"monday": SENT, "sunday": {"startTime": "00:00", "stopTime": "23:59"}},
        },
    ),
    (schedule("workweek", {"weekdays": NIGHT}), {"location": HOME, "weekdays": SENT}),
]


@pytest.mark.parametrize(("charge_schedule", "attributes"), TYPES)
def test_schedule_is_posted_under_its_type_and_its_id_is_returned(
    v3: V3Api, host: Host, access: Access, charge_schedule: ChargeSchedule, attributes: dict[str, Any]
) -> None:
    body = {"data": {"id": "exec_1", "attributes": {"status": {"value": "SUCCESS"}, "scheduleId": "s-1"}}}
    host.reply_with(respond(200, body))
    answer = v3.set_charge_schedule(access, vehicle_id=CAR, schedule=charge_schedule)
    assert (answer.outcome, answer.schedule_id) == (CommandOutcome.SUCCESS, "s-1")
    (request,) = host.requests
    assert (request.method, request.path) == (
        "POST",
        f"/vehicle/v3/vehicles/{CAR}/charge-schedules/{charge_schedule.type}",
    )
    assert json.loads(request.body) == {"data": {"attributes": attributes}}


def test_schedule_is_deleted_by_its_id(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(respond(200, {"data": {"attributes": {"status": {"value": "SUCCESS"}}}}))
    answer = v3.delete_charge_schedule(access, vehicle_id=CAR, schedule_id="a/b")
    assert answer.outcome is CommandOutcome.SUCCESS
    (request,) = host.requests
    assert (request.method, request.path) == ("DELETE", f"/vehicle/v3/vehicles/{CAR}/charge-schedules/a%2Fb")


@pytest.mark.parametrize(
    "impossible",
    [
        schedule("yearly", {"every_day": NIGHT}),
        schedule("daily", {}),
        schedule("daily", {"monday": NIGHT}),
        schedule("weekly", {"weekdays": NIGHT}),
        schedule("workweek", {"weekdays": Window("22:00", "22:00")}),
        schedule("workweek", {"weekdays": Window("24:00", "06:00")}),
        schedule("workweek", {"weekdays": Window("6:00", "07:00")}),
        ChargeSchedule(type="daily", latitude=91, longitude=0, windows={"every_day": NIGHT}),
    ],
)
def test_invalid_schedule_is_never_sent(impossible: ChargeSchedule) -> None:
    with pytest.raises(SmartcarError, match="NOT_SENT:INVALID"):
        schedule_attributes(impossible)


def test_v2_does_not_support_schedules(v2: V2Api, host: Host, access: Access) -> None:
    with pytest.raises(SmartcarError, match="NOT_SENT:UNSUPPORTED"):
        v2.set_charge_schedule(access, vehicle_id=CAR, schedule=schedule("daily", {"every_day": NIGHT}))
    with pytest.raises(SmartcarError, match="NOT_SENT:UNSUPPORTED"):
        v2.delete_charge_schedule(access, vehicle_id=CAR, schedule_id="s-1")
    assert host.requests == []
