"""Strict parsing of query parameters: unknown ones are rejected instead of ignored."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

STORAGE = "storage"
# The values of accounts.models.UnitSystem, which this layer must not import.
UNIT_SYSTEMS = ("metric", "imperial")


class Query(serializers.Serializer[dict[str, Any]]):
    """A view's query parameters, declared as fields. An unknown parameter is an error that lists the valid ones."""

    @classmethod
    def from_request(cls, request: Request) -> dict[str, Any]:
        """Returns the validated parameters of the request. Raises ValidationError."""
        # As a plain dict, because the framework treats an empty form value as missing.
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            valid = ", ".join(sorted(self.fields))
            raise serializers.ValidationError(
                {name: [f"There is no such parameter here. There are: {valid}."] for name in unknown}
            )
        return super().to_internal_value(data)


class FleetQuery(Query):
    """Parameters of calls about one fleet or all of the caller's."""

    fleet = serializers.SlugField(
        required=False,
        max_length=60,
        help_text="A fleet's name in addresses. A token reaches its own fleet only, so it needs none.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # Not the field's default: generated clients send the defaults of the description, and "" is no valid slug.
        return {"fleet": "", **attrs}


class TextField(serializers.RegexField):
    """Any text that PostgreSQL can store, with that pattern in the API description."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[^\x00]+$", trim_whitespace=False, **kwargs)


class UnitsField(serializers.ChoiceField):
    """The units of the returned values."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=[STORAGE, *UNIT_SYSTEMS],
            default=STORAGE,
            help_text="`storage` (km, km/h, °C, kPa, L, W, kWh, minutes: as stored), `metric` (bar and kW) "
            "or `imperial` (mi, mph, °F, psi, gal).",
            **kwargs,
        )
