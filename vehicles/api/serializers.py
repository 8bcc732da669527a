"""Serializers of vehicles, signals and history."""

from typing import Any

from django.utils import translation
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from vehicles.api.openapi import reference
from vehicles.api.queries import ResolutionField
from vehicles.api.units import convert_body, convert_number, unit_for
from vehicles.catalogue import CATALOGUE
from vehicles.current_state import is_current
from vehicles.details import mask_vins
from vehicles.formatting import format_error, is_stale
from vehicles.models import LatestSignal, Vehicle
from vehicles.observations import SignalStatus

Json = dict[str, Any]

SIGNAL_STATUSES = [status.value for status in SignalStatus]


@extend_schema_field(reference("SignalValue"))
class ValueField(serializers.JSONField):
    """The plain value of a signal."""


@extend_schema_field(reference("SignalBody"))
class BodyField(serializers.JSONField):
    """The whole value of a signal."""


class VehicleSerializer(serializers.ModelSerializer[Vehicle]):
    """A vehicle in one fleet. `id` is Smartcar's vehicle ID."""

    id = serializers.CharField(source="smartcar_id")
    fleet = serializers.CharField(source="fleet.slug")

    class Meta:
        model = Vehicle
        fields = [
            "id",
            "fleet",
            "name",
            "plate",
            "make",
            "model",
            "year",
            "powertrain",
            "mode",
            "last_seen_at",
        ]
        read_only_fields = fields


class SignalErrorSerializer(serializers.Serializer[Any]):
    """Why the last report of a signal had no value."""

    type = serializers.CharField(
        help_text="Smartcar's error type, or REFUSED for a value that cannot be true."
    )
    code = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True, help_text="Smartcar's own words.")
    explanation = serializers.CharField(help_text="What it means, for people.")


class SignalSerializer(serializers.Serializer[Any]):
    """The latest valid value of one signal, its age, and the status of its last report."""

    code = serializers.CharField()
    group = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    title = serializers.CharField(help_text="The signal's name for people.")
    value = ValueField(allow_null=True, help_text="null where the signal has no single value.")
    unit = serializers.CharField(allow_null=True, help_text="The unit of the numbers in `value` and `body`.")
    body = BodyField(allow_null=True, help_text="The whole value, in the form of the signal's kind.")
    observed_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When the value was measured: the manufacturer's time if known, else Smartcar's or ours.",
    )
    oem_updated_at = serializers.DateTimeField(
        allow_null=True, help_text="When the manufacturer received the value."
    )
    retrieved_at = serializers.DateTimeField(allow_null=True, help_text="When Smartcar read it.")
    reported_at = serializers.DateTimeField(help_text="When it was last reported, with a value or without.")
    received_at = serializers.DateTimeField(
        allow_null=True, help_text="When this site received that report; null if it isn't known."
    )
    is_stale = serializers.BooleanField(
        help_text="Whether the value is older than one of its kind should be."
    )
    is_current = serializers.BooleanField(
        help_text="Whether the value can be taken as the present one: recent enough for a signal of its kind, and "
        "no report without a value since. The filters `charging` and `locked` use it."
    )
    status = serializers.ChoiceField(choices=SIGNAL_STATUSES)
    error = SignalErrorSerializer(allow_null=True)
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="What had to be corrected in what Smartcar sent."
    )


class SignalsSerializer(serializers.Serializer[Any]):
    """The latest signals of one vehicle."""

    vehicle = serializers.CharField()
    fleet = serializers.CharField()
    signals = SignalSerializer(many=True)


class VinSerializer(serializers.Serializer[Any]):
    """The whole VIN of a vehicle."""

    vin = serializers.CharField(allow_blank=True, help_text="Empty if unknown.")


class PointSerializer(serializers.Serializer[Any]):
    """One reading, or the rollup of an hour or a day, which also has `minimum`, `maximum` and `count`."""

    at = serializers.DateTimeField()
    value = ValueField(
        allow_null=True,
        help_text="A number, text or boolean, or the whole body of a signal with several values, such as a location.",
    )
    minimum = serializers.FloatField(required=False, allow_null=True)
    maximum = serializers.FloatField(required=False, allow_null=True)
    count = serializers.IntegerField(required=False)


class HistorySerializer(serializers.Serializer[Any]):
    """The history of one signal of one vehicle."""

    vehicle = serializers.CharField()
    fleet = serializers.CharField()
    signal = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    resolution = ResolutionField()
    points = PointSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The next page; null where this was all.")

    def get_fields(self) -> dict[str, Any]:
        """Adds `from` and `to`; `from` is a Python keyword."""
        period = {"from": serializers.DateTimeField(), "to": serializers.DateTimeField()}
        return {**super().get_fields(), **period}


def signal_json(row: LatestSignal, *, units: str, now: Any) -> Json:
    """Returns the content of a SignalSerializer."""
    signal = CATALOGUE.get(row.code)
    unit = unit_for(signal, units)
    return {
        "code": row.code,
        "group": signal.group if signal else "",
        "name": signal.name if signal else "",
        "title": signal.label if signal else row.code,
        "value": mask_vins(convert_number(row.value, signal=signal, unit=unit) if signal else row.value),
        "unit": unit.value if unit else None,
        "body": mask_vins(convert_body(row.body, signal=signal, unit=unit)),
        "observed_at": row.observed_at,
        "oem_updated_at": row.oem_updated_at,
        "retrieved_at": row.retrieved_at,
        "reported_at": row.reported_at,
        "received_at": row.received_at,
        "is_stale": is_stale(row, now=now),
        "is_current": is_current(row, now=now),
        "status": row.status,
        "error": _error_json(row),
        "notes": _notes_json(row),
    }


def _error_json(row: LatestSignal) -> Json | None:
    explanation = format_error(row)
    if not explanation:
        return None
    return {
        "type": row.error_type,
        "code": row.error_code,
        "description": _description(row),
        "explanation": explanation,
    }


def _notes_json(row: LatestSignal) -> list[str]:
    """Returns the notes in English, whatever the client's language is."""
    if not row.notes:
        return []
    with translation.override("en"):
        return row.note_texts


def _description(row: LatestSignal) -> str:
    """Returns Smartcar's words, or in English why a value was rejected."""
    with translation.override("en"):
        return row.rejection_reason or row.error_description
