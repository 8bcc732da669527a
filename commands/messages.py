"""What is recorded about commands, as codes with parameters (core.message_codes)."""

from django.db import models
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.message_codes import CODE_LENGTH, CommonMessage, Message, MessageCatalog, Params
from smartcar_api import SmartcarError
from smartcar_api.error_messages import text_for

SMARTCAR_MESSAGE_LENGTH = 500


def _followed_by(text: Promise, *params: str) -> Promise:
    """The text, then these parameters, which are messages themselves."""
    return format_lazy("{} {}", text, " ".join(f"%({param})s" for param in params))


class CommandMessage(MessageCatalog):
    """What happened to a command, and what to do next. Smartcar's errors have codes of their own."""

    CANCELED = "command.canceled", _("Cancelled by %(person)s.")
    TOO_LATE = (
        "command.too_late",
        _("It could not be sent in time, so it was not sent at all. Repeat it if it is still wanted."),
    )
    NOTHING_SENT = (
        "command.nothing_sent",
        _("Sending was interrupted before anything was sent. Repeat it if it is still wanted."),
    )
    CONNECTION_ENDED = (
        "command.connection_ended",
        _("The car's connection ended meanwhile, so it was not sent. Ask the driver to connect it again."),
    )
    NOT_CARRIED_OUT = (
        "command.not_carried_out",
        _("Smartcar reports that the car did not carry it out. Try again."),
    )
    RETRYING = "command.retrying", _("No clear answer came. It is tried again.")
    ALREADY_IN_STATE = (
        "command.already_in_state",
        _(
            "The car accepted it. It had reported being so before, and cars report changes, so nothing came to "
            "confirm it."
        ),
    )

    # The outcome is unknown: `pending` says what will settle it, `error` is what Smartcar answered.
    INTERRUPTED = "command.interrupted", _followed_by(_("Sending was interrupted."), "pending")
    NO_CLEAR_ANSWER = "command.no_clear_answer", _followed_by(_("No clear answer came."), "pending")
    ANSWER_LOST = "command.answer_lost", _followed_by(_("An answer was lost, then:"), "error", "pending")

    # What will settle a command without a clear answer.
    PENDING_LOCK = "command.pending.lock", _("The car's next lock signal will tell.")
    PENDING_CHARGING = "command.pending.charging", _("The car's next charging signal will tell.")
    PENDING_CHARGE_LIMIT = "command.pending.charge_limit", _("The car's next charge limit signal will tell.")
    PENDING_CHARGE_PORT = "command.pending.charge_port", _("The car's next charge port signal will tell.")
    PENDING_CHARGE_SCHEDULE = (
        "command.pending.charge_schedule",
        _("The car's next charge schedule signal will tell."),
    )
    PENDING_OTHER = (
        "command.pending.other",
        _("No signal of the car will tell: look at its screen, or ask its driver."),
    )

    # The car accepted it, and no signal confirmed it.
    NOT_REPORTED_LOCK = (
        "command.not_reported.lock",
        _("The car accepted it, but has not reported its lock since. Look at the car, or read it again."),
    )
    NOT_REPORTED_CHARGING = (
        "command.not_reported.charging",
        _("The car accepted it, but has not reported its charging since. Look at the car, or read it again."),
    )
    NOT_REPORTED_CHARGE_LIMIT = (
        "command.not_reported.charge_limit",
        _(
            "The car accepted it, but has not reported its charge limit since. Look at the car, or read it again."
        ),
    )
    NOT_REPORTED_CHARGE_PORT = (
        "command.not_reported.charge_port",
        _(
            "The car accepted it, but has not reported its charge port since. Look at the car, or read it again."
        ),
    )
    NOT_REPORTED_CHARGE_SCHEDULE = (
        "command.not_reported.charge_schedule",
        _(
            "The car accepted it, but has not reported its charge schedule since. Look at the car, or read it again."
        ),
    )
    NOT_REPORTED_OTHER = (
        "command.not_reported.other",
        _("The car took it. Cars do not report this, so nothing will confirm it: its screen shows it."),
    )

    # A later signal says that an uncertain command was not carried out.
    CONTRADICTED_LOCK = (
        "command.contradicted.lock",
        _("The car reports another lock since, so it was not carried out. Ask again if it is still wanted."),
    )
    CONTRADICTED_CHARGING = (
        "command.contradicted.charging",
        _(
            "The car reports another charging since, so it was not carried out. Ask again if it is still wanted."
        ),
    )
    CONTRADICTED_CHARGE_LIMIT = (
        "command.contradicted.charge_limit",
        _(
            "The car reports another charge limit since, so it was not carried out. Ask again if it is still wanted."
        ),
    )
    CONTRADICTED_CHARGE_PORT = (
        "command.contradicted.charge_port",
        _(
            "The car reports another charge port since, so it was not carried out. Ask again if it is still wanted."
        ),
    )
    CONTRADICTED_CHARGE_SCHEDULE = (
        "command.contradicted.charge_schedule",
        _(
            "The car reports another charge schedule since, so it was not carried out. Ask again if it is still wanted."
        ),
    )
    CONTRADICTED_OTHER = (
        "command.contradicted.other",
        _("The car reports another state since, so it was not carried out. Ask again if it is still wanted."),
    )


def display_text(code: str, params: Params, smartcar_message: str) -> str:
    """The text of a recorded message in the active language.

    Smartcar's own message takes the place of ours about the same error: of the parameter `error` where the message
    has one, else of the whole text.
    """
    if smartcar_message and "error" in params:
        error = CommonMessage.TEXT.message(text=smartcar_message).as_param()
        return text_for(code, {**params, "error": error})
    return text_for(code, params, smartcar_message)


class MessageFields(models.Model):
    """The columns of a recorded message: its code and parameters, and what Smartcar itself said, in its words."""

    message_code = models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")
    message_params = models.JSONField(blank=True, default=dict, db_default={})
    smartcar_message = models.CharField(
        max_length=SMARTCAR_MESSAGE_LENGTH, blank=True, default="", db_default=""
    )

    class Meta:
        abstract = True

    @property
    def message(self) -> str:
        """What happened and what to do next, in the active language; "" where there is nothing to say."""
        return display_text(self.message_code, self.message_params, self.smartcar_message)


def message_columns(message: Message, smartcar_message: str = "") -> dict[str, object]:
    """The values of MessageFields' columns."""
    return {
        "message_code": message.code,
        "message_params": message.params,
        "smartcar_message": smartcar_message[:SMARTCAR_MESSAGE_LENGTH],
    }


def error_columns(error: SmartcarError) -> dict[str, object]:
    """The values of MessageFields' columns for an error of Smartcar."""
    return message_columns(error.message, error.smartcar_message)
