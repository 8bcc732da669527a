"""Messages recorded about commands, as codes with parameters (core.message_codes)."""

from django.db import models
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.message_codes import CODE_LENGTH, Message, MessageCatalog, render
from smartcar_api import SmartcarError

SMARTCAR_MESSAGE_LENGTH = 500


def _followed_by(text: Promise, *params: str) -> Promise:
    """Returns the text followed by these parameters, which are messages themselves."""
    return format_lazy("{} {}", text, " ".join(f"%({param})s" for param in params))


class CommandMessage(MessageCatalog):
    """What happened to a command, and what to do next. Smartcar's errors have codes of their own."""

    CANCELED = "command.canceled", _("Canceled by %(person)s.")
    MEMBER_REMOVED = "command.member_removed", _("Canceled because %(person)s is no longer a member.")
    MEMBER_NOT_ALLOWED = (
        "command.member_not_allowed",
        _("Canceled because %(person)s may no longer send commands."),
    )
    TOO_LATE = (
        "command.too_late",
        _("The command couldn't be sent in time, so it wasn't sent. Send it again if still needed."),
    )
    NOTHING_SENT = (
        "command.nothing_sent",
        _("Sending was interrupted before the command was sent. Send it again if still needed."),
    )
    CONNECTION_ENDED = (
        "command.connection_ended",
        _(
            "The vehicle was disconnected before the command could be sent. Ask the driver to "
            "reconnect the vehicle."
        ),
    )
    NOT_CARRIED_OUT = (
        "command.not_carried_out",
        _("Smartcar reports that the vehicle didn't carry out the command. Try again."),
    )
    RETRYING = "command.retrying", _("No clear response received. Retrying.")
    ALREADY_IN_STATE = (
        "command.already_in_state",
        _("Accepted. The vehicle was already in this state, so it won't send a new report."),
    )

    # The outcome is unknown: `pending` explains what will settle it, `error` is Smartcar's response.
    INTERRUPTED = "command.interrupted", _followed_by(_("Sending was interrupted."), "pending")
    NO_CLEAR_ANSWER = "command.no_clear_answer", _followed_by(_("No clear response received."), "pending")
    ANSWER_LOST = "command.answer_lost", _followed_by(_("A response was lost, then:"), "error", "pending")

    # What will settle a command without a clear response.
    PENDING_LOCK = "command.pending.lock", _("Waiting for the vehicle's next lock update.")
    PENDING_CHARGING = "command.pending.charging", _("Waiting for the vehicle's next charging update.")
    PENDING_CHARGE_LIMIT = (
        "command.pending.charge_limit",
        _("Waiting for the vehicle's next charge limit update."),
    )
    PENDING_CHARGE_PORT = (
        "command.pending.charge_port",
        _("Waiting for the vehicle's next charge port update."),
    )
    PENDING_CHARGE_SCHEDULE = (
        "command.pending.charge_schedule",
        _("Waiting for the vehicle's next charge schedule update."),
    )
    PENDING_OTHER = (
        "command.pending.other",
        _("This command can't be confirmed remotely. Check the vehicle's screen or ask the driver."),
    )

    # The vehicle accepted the command, and no signal confirmed it.
    NOT_REPORTED_LOCK = (
        "command.not_reported.lock",
        _(
            "Accepted, but the vehicle hasn't reported its lock status since. Check the vehicle "
            "or refresh its data."
        ),
    )
    NOT_REPORTED_CHARGING = (
        "command.not_reported.charging",
        _(
            "Accepted, but the vehicle hasn't reported its charging status since. Check the "
            "vehicle or refresh its data."
        ),
    )
    NOT_REPORTED_CHARGE_LIMIT = (
        "command.not_reported.charge_limit",
        _(
            "Accepted, but the vehicle hasn't reported its charge limit since. Check the vehicle "
            "or refresh its data."
        ),
    )
    NOT_REPORTED_CHARGE_PORT = (
        "command.not_reported.charge_port",
        _(
            "Accepted, but the vehicle hasn't reported its charge port status since. Check the "
            "vehicle or refresh its data."
        ),
    )
    NOT_REPORTED_CHARGE_SCHEDULE = (
        "command.not_reported.charge_schedule",
        _(
            "Accepted, but the vehicle hasn't reported its charge schedules since. Check the "
            "vehicle or refresh its data."
        ),
    )
    NOT_REPORTED_OTHER = (
        "command.not_reported.other",
        _(
            "Accepted. Vehicles don't report this, so the command can't be confirmed. Check the "
            "vehicle's screen."
        ),
    )

    # In rows of versions before 0.3, in which a contrary signal failed a command with an unknown outcome.
    CONTRADICTED_LOCK = (
        "command.contradicted.lock",
        _(
            "The vehicle has since reported a different lock status, so the command failed. Send "
            "it again if still needed."
        ),
    )
    CONTRADICTED_CHARGING = (
        "command.contradicted.charging",
        _(
            "The vehicle has since reported a different charging status, so the command failed. "
            "Send it again if still needed."
        ),
    )
    CONTRADICTED_CHARGE_LIMIT = (
        "command.contradicted.charge_limit",
        _(
            "The vehicle has since reported a different charge limit, so the command failed. "
            "Send it again if still needed."
        ),
    )
    CONTRADICTED_CHARGE_PORT = (
        "command.contradicted.charge_port",
        _(
            "The vehicle has since reported a different charge port status, so the command "
            "failed. Send it again if still needed."
        ),
    )
    CONTRADICTED_CHARGE_SCHEDULE = (
        "command.contradicted.charge_schedule",
        _(
            "The vehicle has since reported different charge schedules, so the command failed. "
            "Send it again if still needed."
        ),
    )
    CONTRADICTED_OTHER = (
        "command.contradicted.other",
        _(
            "The vehicle has since reported a different state, so the command failed. Send it "
            "again if still needed."
        ),
    )

    # Reports can no longer confirm an accepted or unknown command.
    SUPERSEDED_BY_COMMAND = (
        "command.superseded.by_command",
        _("A later command took the place of this one, so reports can no longer confirm it."),
    )
    SUPERSEDED_BY_REPORT = (
        "command.superseded.by_report",
        _(
            "The vehicle has since reported a different state, so reports can no longer confirm this command. "
            "Send it again if still needed."
        ),
    )


class MessageFields(models.Model):
    """The columns of a recorded message: code, parameters, and Smartcar's own message."""

    message_code = models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")
    message_params = models.JSONField(blank=True, default=dict, db_default={})
    smartcar_message = models.CharField(
        max_length=SMARTCAR_MESSAGE_LENGTH, blank=True, default="", db_default=""
    )

    class Meta:
        abstract = True

    @property
    def message(self) -> str:
        """What happened and what to do next, in the active language; "" without a message.

        Smartcar's own message only stands in where there is none of ours.
        """
        return render(self.message_code, self.message_params) or self.smartcar_message

    @property
    def original(self) -> str:
        """Smartcar's own message, in English, if ours took its place; else ""."""
        return self.smartcar_message if self.message_code else ""


def message_columns(message: Message, smartcar_message: str = "") -> dict[str, object]:
    """Returns the values of MessageFields' columns."""
    return {
        "message_code": message.code,
        "message_params": message.params,
        "smartcar_message": smartcar_message[:SMARTCAR_MESSAGE_LENGTH],
    }


def error_columns(error: SmartcarError) -> dict[str, object]:
    """Returns the values of MessageFields' columns for an error from Smartcar."""
    return message_columns(error.message, error.smartcar_message)
