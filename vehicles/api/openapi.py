"""The OpenAPI schemas of signal values: one for each shape of a signal's body (vehicles.catalogue.Shape)."""

from typing import Any

from vehicles.api.queries import MAX_POINTS

Json = dict[str, Any]

_ANY_NUMBER: Json = {"type": ["number", "null"]}
_ANY_TRUTH: Json = {"type": ["boolean", "null"], "description": "null if the vehicle doesn't report it."}
_ROW: Json = {"type": "integer", "description": "From the front, starting at 0."}
_COLUMN: Json = {"type": "integer", "description": "From the left, starting at 0."}
_GRID: Json = {"rowCount": {"type": "integer"}, "columnCount": {"type": "integer"}}


def _object(description: str, required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "description": description,
        "properties": required | (optional or {}),
        "required": list(required),
    }


def _list(item: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}}


def _any_of(description: str, *names: str, others: tuple[Json, ...] = ()) -> Json:
    references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    return {"description": description, "anyOf": [*others, *references]}


_ENTRIES: dict[str, Json] = {
    "Tire": _object(
        "One tire.",
        {
            "row": _ROW,
            "column": _COLUMN,
            "tirePressure": _ANY_NUMBER | {"description": "null if there was no plausible value."},
        },
    ),
    "Opening": _object(
        "One door or window.",
        {"row": _ROW, "column": _COLUMN, "isOpen": _ANY_TRUTH, "isLocked": _ANY_TRUTH},
    ),
    "ChargeLimit": _object(
        "One charge limit.",
        {"type": {"type": "string"}, "limit": {"type": "number"}},
        {
            "condition": {
                "type": ["object", "null"],
                "additionalProperties": True,
                "description": "Where the limit applies; null if it applies everywhere.",
            }
        },
    ),
    "AvailableCapacity": _object(
        "One of the batteries that the model may have.",
        {"capacity": _ANY_NUMBER, "description": {"type": "string"}},
    ),
}
_BODIES: dict[str, Json] = {
    "TiresBody": _object(
        "The tires, each with its place and pressure.",
        {"values": _list("Tire"), **_GRID, "unit": {"type": "string"}},
    ),
    "OpeningsBody": _object(
        "Doors or windows, each with its place and state.", {"values": _list("Opening"), **_GRID}
    ),
    "LocationBody": _object(
        "A location.",
        {
            "latitude": {"type": "number", "minimum": -90, "maximum": 90},
            "longitude": {"type": "number", "minimum": -180, "maximum": 180},
        },
        {
            "heading": {"type": "number", "description": "Degrees, clockwise from north."},
            "direction": {"type": "string", "enum": ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]},
            "locationType": {"type": "string", "description": "CURRENT, LAST_PARKED or as reported."},
        },
    ),
    "ClosureBody": _object("A trunk, a hood or the like.", {"isOpen": _ANY_TRUTH, "isLocked": _ANY_TRUTH}),
    "ChargeLimitsBody": _object(
        "The charge limits.",
        {"values": _list("ChargeLimit"), "activeLimit": _ANY_NUMBER, "unit": {"type": "string"}},
    ),
    "CapacityBody": _object(
        "The battery's nominal capacity.",
        {
            "capacity": _ANY_NUMBER,
            "source": {"type": "string"},
            "availableCapacities": _list("AvailableCapacity"),
            "unit": {"type": "string"},
        },
    ),
    "DriveModeBody": _object(
        "The drive mode.", {"canonical": {"type": "string"}, "oemDisplayName": {"type": "string"}}
    ),
    "StatusBody": _object(
        "The status of a system.",
        {"status": {"type": "string", "description": "OK, ALERT or as reported."}},
        {"description": {"type": "string"}},
    ),
    "ValueBody": _object(
        "A single value.",
        {"value": {"description": "A number, text or boolean."}},
        {"unit": {"type": "string"}},
    ),
    "ListBody": _object("A list of records or texts.", {"values": {"type": "array", "items": {}}}),
    "OtherBody": {
        "type": "object",
        "additionalProperties": True,
        "description": "The body of a signal that isn't in Smartcar's catalogue, as it was reported.",
    },
}
SCHEMAS: dict[str, Json] = {
    **_ENTRIES,
    **_BODIES,
    "SignalBody": _any_of("The whole value of a signal, in the form of its kind.", *_BODIES),
    "SignalValue": _any_of(
        "A number, text or boolean. In a history: the whole body of a signal that has several values.",
        *_BODIES,
        others=(
            {"type": "number"},
            {"type": "string"},
            {"type": "boolean"},
            {"type": "array", "items": {}},
        ),
    ),
    "ResolutionName": {
        "type": "string",
        "enum": ["raw", "hour", "day"],
        "description": "Every reading, or the means of hours or days.",
    },
    "Resolution": _any_of(
        "Every reading, the means of hours or days, or at most a number of readings.",
        "ResolutionName",
        others=({"type": "integer", "minimum": 2, "maximum": MAX_POINTS},),
    ),
}


def reference(name: str) -> Json:
    """Returns the reference to a schema of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def add_value_schemas(result: Json, **kwargs: Any) -> Json:
    """A postprocessing hook that adds the schemas to the API description."""
    result["components"]["schemas"] |= SCHEMAS
    return result
