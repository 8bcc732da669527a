"""The history tab: signals, time ranges, gaps, units, the fleet's time zone, the file, and permissions."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, UnitSystem, User
from dashboard.vehicle_page.charts import POINTS
from tests.vehicles.readings import NOON, read
from vehicles import catalogue, rollups
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle
from vehicles.readings import NewReading, insert_readings

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SOC, LOCKED = catalogue.STATE_OF_CHARGE, catalogue.IS_LOCKED
DATA_QUERIES = 17
BERLIN = ZoneInfo("Europe/Berlin")


def address(vehicle: Vehicle, part: str = "") -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/history/{part}"


def data(browser: Client, vehicle: Vehicle, *signals: Signal, **query: str) -> dict[str, Any]:
    codes = ",".join(signal.code for signal in signals or (SOC,))
    answer = browser.get(address(vehicle, "data/"), {"signals": codes} | query)
    assert answer.status_code == 200, answer.content
    result: dict[str, Any] = answer.json()
    return result


def first_line(result: dict[str, Any], index: int = 0) -> dict[str, Any]:
    series: dict[str, Any] = result["charts"][index]["lines"][0]
    return series


def store_readings(vehicle: Vehicle, signal: Signal, *readings: tuple[datetime, dict[str, Any]]) -> None:
    insert_readings(readings=[NewReading(vehicle.pk, signal.code, at, body) for at, body in readings])


def store_signals(vehicle: Vehicle, *signals: Signal) -> None:
    now = timezone.now()
    for signal in signals:
        LatestSignal.objects.create(
            vehicle=vehicle,
            code=signal.code,
            body={"value": 1},
            status="SUCCESS",
            observed_at=now,
            reported_at=now,
        )


def test_a_line_has_a_gap_after_a_value_expires(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    """A state of charge is valid for 12 hours."""
    now = timezone.now()
    read(vehicle, [(now - 40 * HOUR, 80), (now - 30 * HOUR, 70), (now - 2 * HOUR, 40), (now - HOUR, 39)])
    result = data(browser_of(owner), vehicle, range="7d")
    series = first_line(result)
    assert series["values"] == [80, 70, None, 40, 39]
    assert all(before < after for before, after in pairwise(series["times"]))
    assert (series["label"], result["charts"][0]["unit"], result["charts"][0]["percent"]) == (
        "State of charge",
        "%",
        True,
    )
    assert "1 gap" in result["charts"][0]["summary"]
    assert "39% to 80%, latest 39%" in result["charts"][0]["summary"]


def test_a_new_odometer_is_named_with_the_last_count_of_the_one_before(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    for hour, (count, replaced) in enumerate([(40_000, None), (12, 40_000), (30, None)]):
        body = {"value": count, "unit": "km"} | ({"replaces": replaced} if replaced else {})
        store_readings(vehicle, catalogue.ODOMETER, (NOON + timedelta(hours=hour), body))
    times = {"from": NOON.isoformat(), "to": (NOON + timedelta(hours=5)).isoformat()}
    (chart,) = data(browser_of(owner), vehicle, catalogue.ODOMETER, **times)["charts"]
    assert chart["lines"][0]["values"] == [40_000, 12, 30]
    assert "New instrument since 20 November 2026" in chart["summary"]
    assert "the one before showed 40,000 km." in chart["summary"]


def test_a_line_includes_the_readings_around_the_range(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    """A range between two readings uses the readings around it, unless they are too far away."""
    read(vehicle, [(NOON - 30 * HOUR, 99), (NOON - 2 * HOUR, 80), (NOON + 2 * HOUR, 70)])
    series = first_line(
        data(
            browser_of(owner),
            vehicle,
            **{"from": (NOON - HOUR).isoformat(), "to": (NOON + HOUR).isoformat()},
        )
    )
    assert series["values"] == [80, 70]
    result = data(
        browser_of(owner),
        vehicle,
        **{"from": (NOON - 12 * HOUR).isoformat(), "to": (NOON - 11 * HOUR).isoformat()},
    )
    assert first_line(result)["values"] == [80]
    assert "No data recorded in this period." in result["charts"][0]["summary"]


def test_numbers_are_in_the_vehicles_units_and_equal_units_share_a_chart(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(unit_system=UnitSystem.METRIC)
    Vehicle.objects.update(unit_system=UnitSystem.IMPERIAL)
    at = timezone.now() - HOUR
    read(vehicle, [(at, 160.9344)], signal=catalogue.ODOMETER)
    read(vehicle, [(at, 321.8688)], signal=catalogue.RANGE)
    result = data(browser_of(owner), vehicle, catalogue.ODOMETER, SOC, catalogue.RANGE)
    assert [chart["unit"] for chart in result["charts"]] == ["mi", "%"]
    assert [each["values"] for each in result["charts"][0]["lines"]] == [[100], [200]]


def test_thinning_many_readings_preserves_the_peak(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    now = timezone.now()
    read(
        vehicle, [(now - 5 * turn * HOUR / 60, 99 if turn == 1234 else turn % 50) for turn in range(1, 2000)]
    )
    series = first_line(data(browser_of(owner), vehicle, range="7d"))
    assert series["resolution"] == "thinned"
    assert len(series["values"]) <= POINTS + 2
    assert max(value for value in series["values"] if value is not None) == 99


@pytest.mark.parametrize(("range_", "resolution"), [("30d", "hour"), ("1y", "day")])
def test_long_ranges_show_mean_lowest_and_highest(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, range_: str, resolution: str
) -> None:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - 20 * DAY
    for turn in range(400):
        read(vehicle, [(start + turn * HOUR, 20), (start + turn * HOUR + HOUR / 2, 60)])
    for rolled_up in (False, True):
        if rolled_up:
            rollups.compute_rollups(now=timezone.now())
        series = first_line(data(browser_of(owner), vehicle, range=range_))
        assert series["resolution"] == resolution
        # The first day of the range may be partial.
        assert (series["values"][2], series["low"][2], series["high"][2]) == (40, 20, 60)
        assert len(series["times"]) == len(series["low"]) == len(series["high"])


def test_rollups_remain_after_raw_readings_are_deleted(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(raw_retention_months=1)
    at = timezone.now() - 100 * DAY
    read(vehicle, [(at, 50)])
    series = first_line(
        data(browser_of(owner), vehicle, **{"from": (at - DAY).isoformat(), "to": (at + DAY).isoformat()})
    )
    assert (series["resolution"], series["values"]) == ("hour", [50])


def test_state_bands_end_when_a_value_expires(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    """A lock status is valid for two hours. One from before the range still applies at its start."""
    start = NOON
    store_readings(
        vehicle,
        LOCKED,
        (start - HOUR, {"value": True}),
        (start + HOUR / 2, {"value": True}),
        (start + HOUR, {"value": False}),
        (start + 2 * HOUR, {"value": False}),
        (start + 9 * HOUR, {"value": False}),
    )
    result = data(
        browser_of(owner),
        vehicle,
        LOCKED,
        **{"from": start.isoformat(), "to": (start + 10 * HOUR).isoformat()},
    )
    (chart,) = result["charts"]
    hours = [
        ((begin - start.timestamp()) / 3600, (stop - start.timestamp()) / 3600, chart["states"][state])
        for begin, stop, state in chart["segments"]
    ]
    assert hours == [(0, 1, "Locked"), (1, 4, "Unlocked"), (9, 10, "Unlocked")]
    assert chart["tones"] == ["on", "off"]
    assert "Unlocked 80%, Locked 20%" in chart["summary"]


@pytest.mark.parametrize(
    ("signal", "body", "label", "tone"),
    [
        (catalogue.ABS, {"status": "ALERT", "description": None}, "Warning", "alert"),
        (catalogue.DETAILED_CHARGING_STATUS, {"value": "FULLY_CHARGED"}, "Fully charged", "state-1"),
        (catalogue.FIRMWARE, {"value": "2026.4"}, "2026.4", "state-1"),
        (catalogue.FRONT_TRUNK, {"isOpen": True, "isLocked": None}, "Open", "state-1"),
    ],
)
def test_every_kind_of_state_has_a_label(
    owner: User,
    vehicle: Vehicle,
    browser_of: BrowserOf,
    signal: Signal,
    body: dict[str, Any],
    label: str,
    tone: str,
) -> None:
    store_readings(vehicle, signal, (timezone.now() - HOUR, body))
    (chart,) = data(browser_of(owner), vehicle, signal)["charts"]
    assert (chart["states"], chart["tones"]) == ([label], [tone])


def test_a_year_of_states_is_limited_to_the_latest_changes(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    now = timezone.now()
    readings = [(now - turn * HOUR, {"value": turn % 2 == 0}) for turn in range(1, 2300)]
    store_readings(vehicle, LOCKED, *readings)
    (chart,) = data(browser_of(owner), vehicle, LOCKED, range="1y")["charts"]
    assert chart["cut"]
    assert (
        "Too many changes to chart, so only the latest are shown. Zoom in to see the others"
        in chart["summary"]
    )
    assert chart["segments"][-1][1] == pytest.approx(timezone.now().timestamp(), abs=60)


@pytest.mark.parametrize(
    ("night", "hours"),
    [("2026-10-25", 25), ("2026-03-29", 23)],
)
def test_entered_times_are_in_the_fleets_zone_across_clock_changes(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, night: str, hours: int
) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    midnight = datetime.fromisoformat(night).replace(tzinfo=BERLIN)
    result = data(
        browser_of(owner),
        vehicle,
        **{"from": f"{night}T00:00", "to": f"{(midnight + DAY).date().isoformat()}T00:00"},
    )
    assert datetime.fromtimestamp(result["start"], UTC) == midnight
    assert result["end"] - result["start"] == hours * 3600
    # A repeated hour means the first of the two; a skipped hour isn't an error.
    for typed in (f"{night}T02:30", f"{night}T02:00"):
        assert data(browser_of(owner), vehicle, **{"from": typed, "to": f"{night}T12:00"})["start"]


def test_days_are_in_the_fleets_zone(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    """This includes a day with 25 hours."""
    Fleet.objects.update(time_zone="Europe/Berlin")
    first = datetime(2026, 10, 20, tzinfo=BERLIN)
    read(vehicle, [((first + turn * HOUR / 4).astimezone(UTC), 50) for turn in range(8 * 24 * 4)])
    series = first_line(
        data(browser_of(owner), vehicle, **{"from": "2026-08-01T00:00", "to": "2026-11-01T00:00"})
    )
    local = [datetime.fromtimestamp(at, BERLIN) for at in series["times"]]
    assert {each.hour for each in local} == {0}
    assert None not in series["values"]
    assert datetime(2026, 10, 25, tzinfo=BERLIN) in local


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"signals": "no-such"}, "t be charted. Choose another signal"),
        ({"signals": catalogue.PRECISE_LOCATION.code}, "t be charted. Choose another signal"),
        ({"signals": catalogue.IS_AT_HOME.code}, "t be charted. Choose another signal"),
        ({"signals": catalogue.VIN.code}, "t be charted. Choose another signal"),
        ({"signals": ",".join(list(catalogue.CATALOGUE)[:9])}, "chart up to 8 signals"),
        ({"range": "forever"}, "Unknown time range. Choose one of the options above"),
        ({"from": "yesterday"}, "t a valid date and time. Use this format: 2026-11-28T14:00"),
        (
            {"from": "2026-11-20T12:00", "to": "2026-11-20T12:00"},
            "The start must be at least one minute before the end",
        ),
        ({"from": "1990-01-01T00:00", "to": "2026-11-20T12:00"}, "up to ten years"),
        (
            {"from": "0001-01-01T00:00+14:00", "to": "2026-11-20T12:00"},
            "t a valid date and time. Use this format: 2026-11-28T14:00",
        ),
        ({"to": "0001-01-01T12:00"}, "The start is too far in the past. Choose a later date"),
    ],
)
def test_an_invalid_query_shows_the_reason_and_preserves_the_form(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, query: dict[str, str], reason: str
) -> None:
    store_signals(vehicle, SOC)
    browser = browser_of(owner)
    answer = browser.get(address(vehicle, "data/"), query)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]
    page = browser.get(address(vehicle), query)
    assert page.status_code == 400
    assert reason in page.content.decode()
    assert query.get("from", "") in page.content.decode()


def test_the_page_offers_signals_that_can_be_charted_charge_first(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert "No data to chart yet" in browser.get(address(vehicle)).content.decode()
    store_signals(vehicle, catalogue.ODOMETER, SOC, LOCKED, catalogue.PRECISE_LOCATION, catalogue.IS_AT_HOME)
    page = browser.get(address(vehicle))
    offered = [signal for _, signals in page.context["groups"] for signal in signals]
    assert offered == [SOC, catalogue.ODOMETER, LOCKED]
    assert page.context["chosen"] == {SOC.code}
    shared = browser.get(address(vehicle), {"signals": [LOCKED.code, catalogue.ODOMETER.code], "range": "7d"})
    assert shared.context["chosen"] == {LOCKED.code, catalogue.ODOMETER.code}
    assert shared.context["question"].query == (f"signals={LOCKED.code},{catalogue.ODOMETER.code}&range=7d")


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_the_file_contains_the_shown_data_in_the_fleets_zone(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    read(vehicle, [(NOON - 30 * HOUR, 1), (NOON, 50.5), (NOON + HOUR, 49)])
    store_readings(vehicle, catalogue.FIRMWARE, (NOON, {"value": "=HYPERLINK(1)"}))
    answer = browser_of(owner).get(
        address(vehicle, "csv/"),
        {
            "signals": f"{SOC.code},{catalogue.FIRMWARE.code}",
            "from": "2026-11-20T12:00",
            "to": "2026-11-20T14:00",
        },
    )
    assert answer.streaming
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [(row["time"], row["signal"], row["value"], row["unit"], row["until"]) for row in rows] == [
        ("2026-11-20T13:00:00+01:00", "State of charge", "50.5", "%", ""),
        (
            "2026-11-20T13:00:00+01:00",
            "Firmware version",
            "'=HYPERLINK(1)",
            "",
            "2026-11-20T14:00:00+01:00",
        ),
    ]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_the_file_for_excel_has_a_byte_order_mark_and_the_languages_separators(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    read(vehicle, [(NOON, 50.5)])
    times = {"from": "2026-11-20T12:00", "to": "2026-11-20T14:00", "format": "excel"}
    answer = browser_of(owner).get(address(vehicle, "csv/"), {"signals": SOC.code, **times})
    lines = b"".join(answer).decode().splitlines()
    assert lines[0].startswith("\ufefftime;signal;")
    assert ";50,5;" in lines[1]


@pytest.mark.parametrize("part", ["", "data/", "csv/"])
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_permissions_for_the_history(
    request: pytest.FixtureRequest,
    vehicle: Vehicle,
    browser_of: BrowserOf,
    part: str,
    person: str,
    status: int,
) -> None:
    user = request.getfixturevalue(person)
    browser = browser_of(user)
    assert browser.get(address(vehicle, part)).status_code == status
    assert Client().get(address(vehicle, part)).status_code == 302
    if person == "outsider":
        under_own = address(vehicle, part).replace("/blue/", "/red/")
        assert browser.get(under_own).status_code == 404


def test_a_signal_costs_a_fixed_number_of_queries(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, django_assert_max_num_queries: Any
) -> None:
    """Regardless of the amount of data, for a numeric signal by days and for a state."""
    now = timezone.now()
    browser = browser_of(owner)
    for many in (2, 900):
        read(vehicle, [(now - turn * HOUR, turn % 100) for turn in range(1, many)])
        store_readings(
            vehicle, LOCKED, *((now - turn * HOUR, {"value": turn % 3 == 0}) for turn in range(1, many))
        )
        with django_assert_max_num_queries(DATA_QUERIES):
            data(browser, vehicle, SOC, LOCKED, range="1y")
