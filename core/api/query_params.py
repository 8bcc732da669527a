"""The parameters of a call, read strictly: what is misspelt is refused rather than passed over."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

STORAGE = "storage"
# The values of accounts.models.UnitSystem, which this layer does not know.
UNIT_SYSTEMS = ("metric", "imperial")


class Query(serializers.Serializer[dict[str, Any]]):
    """A view's query parameters. Declared as fields; an unknown one is an error that names those there are."""

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """What the caller asked, validated. Raises ValidationError."""
        # As a plain dictionary, since the framework takes an empty value of a form for one that was left out.
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            offered = ", ".join(sorted(self.fields))
            raise serializers.ValidationError(
                {name: [f"There is no such parameter here. There are: {offered}."] for name in unknown}
            )
        return super().to_internal_value(data)


class FleetQuery(Query):
    """Parameters of calls about one fleet or all of the caller's."""

    fleet = serializers.SlugField(
        required=False,
        default="",
        max_length=60,
        help_text="A fleet's name in addresses. A token reaches its own fleet only, so it needs none.",
    )


class TextField(serializers.RegexField):
    """Any text that PostgreSQL can hold; described so."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[^\x00]+$", trim_whitespace=False, **kwargs)


class UnitsField(serializers.ChoiceField):
    """In which units values are told."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=[STORAGE, *UNIT_SYSTEMS],
            default=STORAGE,
            help_text="`storage` (km, km/h, °C, kPa, L, W, kWh, minutes: as kept), `metric` (bar and kW) "
            "or `imperial` (mi, mph, °F, psi, gal).",
            **kwargs,
        )
