"""The parameters of commands, as JSON values and as form text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.parameters import InvalidParametersError, describe_parameters, parse
from commands.types import SCHEDULING, CommandType

WITHOUT_PARAMETERS = sorted(
    set(CommandType) - {CommandType.SET_CHARGE_LIMIT, CommandType.SET_DESTINATION} - SCHEDULING
)
latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@given(percent=st.integers(50, 100), as_text=st.booleans())
def test_every_whole_percentage_from_50_to_100_is_a_limit(percent: int, as_text: bool) -> None:
    assert parse(CommandType.SET_CHARGE_LIMIT, {"percent": f" {percent} " if as_text else percent}) == {
        "percent": percent
    }


@given(percent=st.integers().filter(lambda number: not 50 <= number <= 100), as_text=st.booleans())
def test_no_other_number_is_a_limit(percent: int, as_text: bool) -> None:
    with pytest.raises(InvalidParametersError, match="from 50 to 100"):
        parse(CommandType.SET_CHARGE_LIMIT, {"percent": str(percent) if as_text else percent})


@given(
    value=st.one_of(
        st.none(),
        st.booleans(),
        st.text().filter(lambda text: not text.strip().isdecimal()),
        st.floats().filter(lambda number: number not in range(50, 101)),
        st.lists(st.integers()),
    )
)
def test_other_values_are_not_a_limit(value: object) -> None:
    with pytest.raises(InvalidParametersError):
        parse(CommandType.SET_CHARGE_LIMIT, {"percent": value})


@given(latitude=latitudes, longitude=longitudes)
def test_coordinates_are_stored_to_a_tenth_of_a_meter(latitude: float, longitude: float) -> None:
    parsed = parse(CommandType.SET_DESTINATION, {"latitude": latitude, "longitude": longitude})
    assert abs(parsed["latitude"] - latitude) <= 5.1e-7
    assert abs(parsed["longitude"] - longitude) <= 5.1e-7


@given(latitude=latitudes, longitude=longitudes)
def test_form_text_gives_the_same_coordinates(latitude: float, longitude: float) -> None:
    form = {"latitude": f"{latitude:.6f}", "longitude": f"{longitude:.6f}"}
    assert parse(CommandType.SET_DESTINATION, form) == pytest.approx(
        {"latitude": latitude, "longitude": longitude}, abs=1e-6
    )


@given(
    latitude=st.one_of(
        st.none(),
        st.booleans(),
        st.floats().filter(lambda number: not -90 <= number <= 90),
        st.sampled_from(["", "north", "nan", "inf", "1e1", "90.1", "52,5", "٥٢"]),
    )
)
def test_an_invalid_latitude_is_rejected(latitude: object) -> None:
    with pytest.raises(
        InvalidParametersError,
        match="A latitude must be a number from -90 to 90 degrees",
    ):
        parse(CommandType.SET_DESTINATION, {"latitude": latitude, "longitude": 0})


@given(longitude=st.floats().filter(lambda number: not -180 <= number <= 180))
def test_an_invalid_longitude_is_rejected(longitude: float) -> None:
    with pytest.raises(InvalidParametersError, match="A longitude"):
        parse(CommandType.SET_DESTINATION, {"latitude": 0, "longitude": longitude})


@pytest.mark.parametrize("kind", WITHOUT_PARAMETERS)
def test_other_commands_ignore_form_fields(kind: CommandType) -> None:
    assert parse(kind, {"csrfmiddlewaretoken": "x", "percent": "80"}) == {}
    assert describe_parameters(kind, {}) == ""


def test_parameters_are_described() -> None:
    assert describe_parameters(CommandType.SET_CHARGE_LIMIT, {"percent": 80}) == "80%"


def test_coordinates_are_not_described() -> None:
    assert describe_parameters(CommandType.SET_DESTINATION, {"latitude": 52.5163, "longitude": -13}) == ""


PLACE: dict[str, object] = {"latitude": "52.5", "longitude": "-13.25"}
NIGHT = ["22:00", "06:00"]


def test_a_schedule_is_parsed_equally_from_form_and_json() -> None:
    form = PLACE | {"type": "weekly", "monday_start": "22:00", "monday_stop": "06:00", "sunday_start": ""}
    json = {"latitude": 52.5, "longitude": -13.25, "type": "weekly", "windows": {"monday": NIGHT}}
    assert (
        parse(CommandType.SET_CHARGE_SCHEDULE, form) == parse(CommandType.SET_CHARGE_SCHEDULE, json) == json
    )


def test_a_schedule_is_described_by_its_times() -> None:
    windows = {"monday": NIGHT, "tuesday": NIGHT, "sunday": ["00:00", "12:00"]}
    description = describe_parameters(CommandType.SET_CHARGE_SCHEDULE, {"type": "weekly", "windows": windows})
    assert description == "Monday, Tuesday 22:00–06:00; Sunday 00:00–12:00"
    assert describe_parameters(
        CommandType.SET_CHARGE_SCHEDULE, {"type": "daily", "windows": {"every_day": NIGHT}}
    ) == ("every day 22:00–06:00")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "yearly"}, "must be one of: daily, weekly, workweek"),
        ({"type": "daily"}, "A charge schedule needs a start time and an end time, for example 22:00"),
        ({"type": "daily", "every_day_start": "22:00"}, "two different times of day"),
        ({"type": "daily", "every_day_start": "22:00", "every_day_stop": "22:00"}, "two different times"),
        ({"type": "weekly", "windows": {"weekdays": NIGHT}}, "times only for monday, tuesday"),
        ({"type": "weekly", "windows": {"monday": "22:00"}}, "times for Monday"),
        ({"type": "weekly", "windows": {"monday": [22, 6]}}, "times for Monday"),
        (
            {"type": "weekly", "windows": {"monday": NIGHT}, "latitude": "north"},
            "A latitude must be a number from -90 to 90 degrees",
        ),
    ],
)
def test_an_invalid_schedule_is_rejected_with_the_reason(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParametersError, match=message):
        parse(CommandType.SET_CHARGE_SCHEDULE, PLACE | fields)


@given(
    value=st.dictionaries(
        st.sampled_from(["type", "windows", "monday_start"]),
        st.one_of(
            st.none(),
            st.integers(),
            st.text(),
            st.lists(st.text()),
            st.dictionaries(st.text(), st.lists(st.text())),
            st.sampled_from(["daily", "weekly", "22:00"]),
        ),
    )
)
def test_any_schedule_is_parsed_or_rejected(value: dict[str, object]) -> None:
    try:
        parsed = parse(CommandType.SET_CHARGE_SCHEDULE, PLACE | value)
    except InvalidParametersError:
        return
    assert parsed["windows"]


@pytest.mark.parametrize("schedule_id", [None, "", "a b", "x" * 81, 7])
def test_deleting_a_schedule_requires_its_id(schedule_id: object) -> None:
    assert parse(CommandType.DELETE_CHARGE_SCHEDULE, {"schedule_id": "a-1:2"}) == {"schedule_id": "a-1:2"}
    with pytest.raises(InvalidParametersError, match="Select the charge schedule to delete"):
        parse(CommandType.DELETE_CHARGE_SCHEDULE, {"schedule_id": schedule_id})
