"""What the API's OpenAPI description says, for generated clients."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

Json = dict[str, Any]


@pytest.fixture(scope="module")
def description() -> Json:
    answer = Client().get("/api/v1/schema/", headers={"Accept": "application/json"})
    found: Json = answer.json()
    return found


def operations(description: Json) -> list[tuple[str, str, Json]]:
    return [
        (path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def schemas(part: Any) -> list[Json]:
    """Returns every object within a part of the description."""
    if isinstance(part, list):
        return [each for item in part for each in schemas(item)]
    if isinstance(part, dict):
        return [part, *(each for item in part.values() for each in schemas(item))]
    return []


def test_it_is_valid_openapi_3_1(description: Json) -> None:
    assert description["openapi"].startswith("3.1")
    validate_schema(description)  # type: ignore[no-untyped-call]


def test_no_default_is_rejected_by_its_own_schema(description: Json) -> None:
    """A client that sends the defaults, as generated ones do, is never rejected for them."""
    with_default = [each for each in schemas(description["paths"]) if each.get("default") is not None]
    assert with_default
    assert all(each["default"] != "" for each in with_default)


def test_null_is_a_type_and_not_a_keyword(description: Json) -> None:
    assert not [each for each in schemas(description) if "nullable" in each]
    error = description["components"]["schemas"]["Signal"]["properties"]["error"]
    assert error["oneOf"] == [{"$ref": "#/components/schemas/SignalError"}, {"type": "null"}]


def test_no_value_matches_two_of_alternatives(description: Json) -> None:
    """`{}` matches everything, so with it each value of another alternative would match two of `oneOf`."""
    assert not [each for each in schemas(description) if {} in each.get("oneOf", [])]
    body = description["components"]["schemas"]["DeliveryWithBody"]["properties"]["body"]
    assert not {"type", "oneOf"} & set(body)


def test_lists_of_values_have_names(description: Json) -> None:
    """Only named ones become one type in a client; `direction` is of one place only."""
    components = description["components"]["schemas"]
    unnamed = [
        each
        for name, component in components.items()
        for each in schemas(component)
        if "enum" in each and each is not component and name != "LocationBody"
    ]
    assert unnamed == []
    assert not [each for each in schemas(description["paths"]) if "enum" in each]
    assert {"CommandKindEnum", "CommandStateEnum", "DeliveryStateEnum", "DeliverySourceEnum"} <= set(
        components
    )
    assert {"SmartcarApiVersionEnum", "SignalStatusEnum", "UnitsEnum", "OrderingEnum"} <= set(components)


def test_every_operation_describes_its_errors_and_headers(description: Json) -> None:
    for _, method, operation in operations(description):
        responses = operation["responses"]
        assert {"400", "401", "403", "404", "405", "406", "429"} <= set(responses)
        assert ("304" in responses) == (method == "get")
        assert "Retry-After" in responses["429"]["headers"]
        assert "Allow" in responses["405"]["headers"]
        assert "WWW-Authenticate" in responses["401"]["headers"]
        for response in responses.values():
            rate = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
            assert {"X-Request-Id"} | rate <= set(response["headers"])


def test_lists_and_single_objects_have_etags_and_a_sent_command_its_location(description: Json) -> None:
    by_id = {operation["operationId"]: operation for _, _, operation in operations(description)}
    assert "ETag" in by_id["vehicle"]["responses"]["200"]["headers"]
    names = {each["name"] for each in by_id["vehicle"]["parameters"]}
    assert "If-None-Match" in names
    assert "Location" in by_id["send_command"]["responses"]["201"]["headers"]
    assert by_id["send_command"]["requestBody"]["required"]


def test_operations_have_titles_and_their_path_parameters_descriptions(description: Json) -> None:
    for _, _, operation in operations(description):
        assert operation["summary"]
        for parameter in operation["parameters"]:
            assert parameter["in"] != "path" or parameter["description"]


def test_values_of_places_and_doors_have_types(description: Json) -> None:
    components = description["components"]["schemas"]
    kinds = {each["$ref"].rpartition("/")[2] for each in components["SignalValue"]["anyOf"] if "$ref" in each}
    assert {"LocationBody", "OpeningsBody", "TiresBody"} <= kinds
    assert set(components["LocationBody"]["required"]) == {"latitude", "longitude"}
    assert components["OpeningsBody"]["properties"]["values"]["items"]["$ref"].endswith("/Opening")
    assert components["Point"]["properties"]["value"]["oneOf"][0]["$ref"].endswith("/SignalValue")
