"""Arranges an OpenAPI description for a page: operations by topic, with all that belongs to them, and types.

Pure functions. Texts are those of the description, in English.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_LIMITS = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "pattern {}",
    "default": "default {}",
}


@dataclass(frozen=True, slots=True)
class TypeText:
    """A part of a type's notation: text, or the name of a type on the page."""

    text: str
    refers: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, a header, or a property of a type."""

    name: str
    kind: tuple[TypeText, ...]
    required: bool
    description: str
    limits: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """One response of an operation."""

    status: str
    description: str
    kind: tuple[TypeText, ...]
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with everything that its section shows."""

    id: str
    method: str
    path: str
    title: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[TypeText, ...]
    responses: tuple[ApiResponse, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """The operations with one tag."""

    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class NamedType:
    """A named type: an object with properties, a list of values, or a choice of other types."""

    name: str
    description: str
    properties: tuple[Field, ...]
    values: tuple[str, ...]
    kind: tuple[TypeText, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """The whole page."""

    topics: tuple[Topic, ...]
    types: tuple[NamedType, ...]
    headers: tuple[Field, ...]


def outline(description: Json) -> Outline:
    """Returns the outline of an OpenAPI 3.1 description."""
    topics: dict[str, list[Operation]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            topics.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    components = description["components"]
    return Outline(
        topics=tuple(Topic(name.capitalize(), tuple(each)) for name, each in topics.items()),
        types=tuple(_named_type(name, schema) for name, schema in sorted(components["schemas"].items())),
        headers=tuple(_headers(description)),
    )


def _operation(path: str, method: str, operation: Json) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        title=str(operation.get("summary", operation["operationId"])),
        description=operation.get("description", ""),
        parameters=tuple(
            sorted(
                (_parameter(each) for each in operation.get("parameters", [])),
                key=lambda parameter: not parameter.required,
            )
        ),
        body=tuple(type_text(body["schema"])) if body else (),
        responses=tuple(_response(status, each) for status, each in operation["responses"].items()),
    )


def _parameter(parameter: Json) -> Field:
    schema = parameter["schema"]
    return Field(
        name=parameter["name"],
        kind=tuple(type_text(schema)),
        required=parameter.get("required", False),
        description=_without_choices(parameter.get("description", "")),
        limits=_limits(schema),
        place=parameter["in"],
    )


def _without_choices(description: str) -> str:
    """Returns the description without the values of the list that the type already names."""
    return description.partition("\n\n* `")[0] if not description.startswith("* `") else ""


def _response(status: str, response: Json) -> ApiResponse:
    content: Json = next(iter(response.get("content", {}).values()), {})
    return ApiResponse(
        status=status,
        description=response.get("description", ""),
        kind=tuple(type_text(content["schema"])) if content else (),
        headers=tuple(response.get("headers", {})),
    )


def _headers(description: Json) -> Iterator[Field]:
    """Yields the headers of responses, each once."""
    named = description["components"].get("headers", {})
    seen: set[str] = set()
    for methods in description["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                for name, header in response.get("headers", {}).items():
                    if name in seen:
                        continue
                    seen.add(name)
                    found = named[_name(header)] if "$ref" in header else header
                    kind = tuple(type_text(found["schema"]))
                    yield Field(name, kind, found.get("required", False), found.get("description", ""))


def _named_type(name: str, schema: Json) -> NamedType:
    required = set(schema.get("required", []))
    return NamedType(
        name=name,
        description=schema.get("description", ""),
        properties=tuple(
            Field(
                name=each,
                kind=tuple(type_text(part)),
                required=each in required,
                description=_without_choices(part.get("description", "")),
                limits=_limits(part),
            )
            for each, part in schema.get("properties", {}).items()
        ),
        values=tuple(str(value) for value in schema.get("enum", [])),
        kind=() if "properties" in schema or "enum" in schema else tuple(type_text(schema)),
    )


def _limits(schema: Json) -> tuple[str, ...]:
    return tuple(
        text.format(json.dumps(schema[key]) if key == "default" else schema[key])
        for key, text in _LIMITS.items()
        if key in schema and (key, schema[key]) != ("minLength", 1)
    )


def type_text(schema: Json) -> Iterator[TypeText]:
    """Yields the notation of a type: `string or null`, `list of Signal`."""
    if "$ref" in schema:
        yield TypeText(_name(schema), refers=True)
    elif "const" in schema:
        yield TypeText(json.dumps(schema["const"]))
    elif "enum" in schema:
        yield TypeText(" or ".join(json.dumps(value) for value in schema["enum"]))
    elif parts := schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf"):
        yield from _joined(parts)
    elif schema.get("type") == "array":
        yield TypeText("list of ")
        yield from type_text(schema.get("items", {}))
    else:
        yield TypeText(_plain(schema))


def _joined(parts: list[Json]) -> Iterator[TypeText]:
    for number, part in enumerate(parts):
        if number:
            yield TypeText(" or ")
        yield from type_text(part)


def _plain(schema: Json) -> str:
    kinds = schema.get("type", "anything")
    names = [kinds] if isinstance(kinds, str) else kinds
    form = schema.get("format", "")
    shown = [f"{name} ({form})" if form and name != "null" else name for name in names]
    return " or ".join(shown)


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
