"""Query parameters of the commands API."""

from typing import Any

from rest_framework import serializers

from commands.models import CommandState
from commands.types import CommandType
from core.api.pagination import NewestFirstPagination, page_size_field
from core.api.query_params import FleetQuery

_LARGEST_ID = 2**63 - 1


class CommandQuery(FleetQuery):
    """The fleet, for callers who belong to several."""


class VehicleCommandsQuery(FleetQuery):
    """Filters for one vehicle's commands."""

    state = serializers.ChoiceField(choices=CommandState.choices, required=False)
    kind = serializers.ChoiceField(choices=CommandType.choices, required=False)
    bulk = serializers.IntegerField(
        required=False, min_value=1, max_value=_LARGEST_ID, help_text="Only commands of this bulk command."
    )
    cursor = serializers.RegexField(
        r"^[A-Za-z0-9+/=_-]+$", required=False, help_text="From `next` or `previous` of the last answer."
    )
    page_size = page_size_field(NewestFirstPagination)

    def get_fields(self) -> dict[str, Any]:
        """Adds `from` and `to`, which are no valid attribute names in Python."""
        start = serializers.DateTimeField(required=False, help_text="Requested at this time or later.")
        end = serializers.DateTimeField(required=False, help_text="Requested before this time.")
        return {**super().get_fields(), "from": start, "to": end}


class CommandsQuery(VehicleCommandsQuery):
    """Filters for commands."""

    vehicle = serializers.SlugField(required=False, max_length=128, help_text="Smartcar's vehicle id.")


CONDITIONS = {
    "state": "state",
    "kind": "kind",
    "bulk": "bulk_id",
    "vehicle": "vehicle__smartcar_id",
    "from": "requested_at__gte",
    "to": "requested_at__lt",
}
"""Maps parameter names to query conditions."""
