"""JSON serialization of commands."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import SmartcarApiVersion
from commands.models import Command, CommandEvent
from commands.parameters import PLACE

Json = dict[str, Any]

COMMANDING = "commanding"
"""Key in a serializer's context: the IDs of the fleets in which the caller may send commands."""


class CommandErrorSerializer(serializers.Serializer[Any]):
    """Why Smartcar or the vehicle rejected the command; the command's `message` explains it."""

    type = serializers.CharField(help_text="Smartcar's error type, or one of ours: NOT_SENT, NO_ANSWER…")
    code = serializers.CharField(allow_blank=True)


class CommandSerializer(serializers.ModelSerializer[Command]):
    """One command to one vehicle, with its result."""

    vehicle = serializers.CharField(source="vehicle.smartcar_id", help_text="Smartcar's vehicle id.")
    fleet = serializers.CharField(source="fleet.slug")
    title = serializers.CharField(help_text="The requested parameters as text.")
    parameters = serializers.SerializerMethodField(
        help_text="What it carries. A place is for those only who may send commands."
    )
    state_in_words = serializers.CharField(source="get_state_display")
    open = serializers.BooleanField(help_text="Whether the state can still change.")
    cancellable = serializers.BooleanField(help_text="Whether nothing of it was sent yet.")
    requested_by = serializers.CharField(
        source="requested_by.email",
        default=None,
        allow_null=True,
        help_text="Email address of the sender.",
    )
    requested_by_account = serializers.CharField(
        source="requested_by_account.name",
        default=None,
        allow_null=True,
        help_text="Name of the service account that sent it, if no user did.",
    )
    bulk = serializers.IntegerField(
        source="bulk_id", allow_null=True, help_text="The bulk command that this command is part of."
    )
    message = serializers.CharField(
        allow_blank=True, help_text="What happened and what to do next, for people."
    )
    message_code = serializers.CharField(
        allow_blank=True, help_text="The message as a code that doesn't change; empty without a message."
    )
    smartcar_message = serializers.CharField(
        allow_blank=True, help_text="Smartcar's own words about the outcome, in English; empty without any."
    )
    error = serializers.SerializerMethodField()
    # The API keeps the field name that was published.
    generation = serializers.ChoiceField(
        source="api_version", choices=SmartcarApiVersion.choices, help_text="Smartcar's API version."
    )

    class Meta:
        model = Command
        fields = [
            "id",
            "vehicle",
            "fleet",
            "kind",
            "title",
            "parameters",
            "state",
            "state_in_words",
            "open",
            "cancellable",
            "requested_by",
            "requested_by_account",
            "reason",
            "bulk",
            "generation",
            "requested_at",
            "expires_at",
            "claimed_at",
            "sent_at",
            "accepted_at",
            "settled_at",
            "changed_at",
            "next_try_at",
            "attempts",
            "message",
            "message_code",
            "smartcar_message",
            "error",
            "request_id",
            "execution_id",
            "schedule_id",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_parameters(self, command: Command) -> Json:
        if command.fleet_id in self.context[COMMANDING]:
            return dict(command.parameters)
        return {name: value for name, value in command.parameters.items() if name not in PLACE}

    @extend_schema_field(CommandErrorSerializer(allow_null=True))
    def get_error(self, command: Command) -> Json | None:
        if not command.error_type:
            return None
        return {"type": command.error_type, "code": command.error_code}


class CommandEventSerializer(serializers.ModelSerializer[CommandEvent]):
    """A state change of a command."""

    detail = serializers.CharField(
        source="message", allow_blank=True, help_text="What happened, for people; empty without a message."
    )
    message_code = serializers.CharField(
        allow_blank=True, help_text="The detail as a code that doesn't change; empty without one."
    )

    class Meta:
        model = CommandEvent
        fields = ["state", "at", "detail", "message_code"]
        read_only_fields = fields


class CommandDetailSerializer(CommandSerializer):
    """A command with its state changes, oldest first."""

    changes = CommandEventSerializer(many=True)

    class Meta(CommandSerializer.Meta):
        fields = [*CommandSerializer.Meta.fields, "changes"]
        read_only_fields = fields
