"""The query parameters of the vehicles API."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.pagination import PagePagination, page_size_field
from core.api.query_params import FleetQuery, TextField, UnitsField
from vehicles.search import ORDERS

RAW_PAGE = 5_000
RAW_SPAN = timedelta(days=31)
MAX_POINTS = 5_000
_MAX_BUCKETS = {"hour": timedelta(hours=20_000), "day": timedelta(days=20_000)}
_LAST_DAY = timedelta(days=1)


class VehicleQuery(FleetQuery):
    """The fleet, for vehicles that are in several of the caller's fleets."""


class VehiclesQuery(FleetQuery):
    """Filters for vehicles, and their order."""

    search = TextField(required=False, max_length=80, help_text="In name, plate, make and model.")
    make = TextField(required=False, max_length=60)
    powertrain = TextField(required=False, max_length=8, help_text="BEV, PHEV, ICE…")
    mode = TextField(required=False, max_length=10, help_text="live or simulated.")
    heard_after = serializers.DateTimeField(
        required=False,
        help_text="Only vehicles with data received after this time, for example since the last call.",
    )
    heard_before = serializers.DateTimeField(
        required=False, help_text="Only vehicles without data since this time, or ever."
    )
    charging = serializers.BooleanField(
        required=False,
        help_text="Only vehicles that currently are or aren't charging. A state that is too old, or whose signal "
        "failed since, counts as unknown and matches neither.",
    )
    locked = serializers.BooleanField(
        required=False, help_text="Only vehicles that currently are or aren't locked; see `charging`."
    )
    charge_below = serializers.FloatField(
        required=False, min_value=0, max_value=100, help_text="State of charge below this, in percent."
    )
    ordering = serializers.ChoiceField(choices=list(ORDERS), default="name")
    page = serializers.IntegerField(required=False, min_value=1)
    page_size = page_size_field(PagePagination)


class SignalsQuery(FleetQuery):
    """The signals to return, and their units."""

    codes = serializers.RegexField(
        r"^[A-Za-z0-9_,-]+$",
        required=False,
        max_length=4_000,
        help_text="Only these signals: codes, with commas between.",
    )
    units = UnitsField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"codes": "", **super().validate(attrs)}


@extend_schema_field({"$ref": "#/components/schemas/Resolution"})
class ResolutionField(serializers.Field[Any, Any, Any, Any]):
    """`raw`, `hour`, `day`, or a number of points."""

    def to_internal_value(self, data: Any) -> Any:
        if data in ("raw", "hour", "day"):
            return data
        is_number = isinstance(data, str) and data.isascii() and data.isdecimal() and len(data) < 10
        if is_number and 2 <= int(data) <= MAX_POINTS:
            return int(data)
        raise serializers.ValidationError(
            f"It has to be raw, hour, day, or a number of points from 2 to {MAX_POINTS}."
        )

    def to_representation(self, value: Any) -> Any:
        return value


class HistoryQuery(FleetQuery):
    """The period, its resolution and the units."""

    resolution = ResolutionField(
        default="raw",
        help_text=(
            "`raw` is every reading, a page at a time; `hour` and `day` (of the fleet's time zone) are means with "
            "lowest and highest; a number is at most that many points, thinned out so that peaks stay."
        ),
    )
    units = UnitsField()

    def get_fields(self) -> dict[str, Any]:
        """Adds `from` and `to`; `from` is a Python keyword."""
        start = serializers.DateTimeField(
            required=False, help_text="Its start; without it a day before `to`."
        )
        end = serializers.DateTimeField(required=False, help_text="Its end, itself left out; without it now.")
        return {**super().get_fields(), "from": start, "to": end}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        end: datetime = attrs.setdefault("to", timezone.now())
        try:
            start: datetime = attrs.setdefault("from", end - _LAST_DAY)
        except OverflowError:
            raise serializers.ValidationError({"to": ["The time is too far in the past."]}) from None
        if start >= end:
            raise serializers.ValidationError({"from": ["Must be before `to`."]})
        longest = _MAX_BUCKETS.get(attrs["resolution"])
        if longest is not None and end - start > longest:
            raise serializers.ValidationError(
                {
                    "resolution": [
                        f"At most {longest.days} days per request. Request a shorter time or a coarser resolution."
                    ]
                }
            )
        return attrs
