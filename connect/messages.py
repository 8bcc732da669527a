"""The messages that rows of connections store, as codes with parameters (core.message_codes)."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.message_codes import CODE_LENGTH, Message, MessageCatalog


class StateReason(MessageCatalog):
    """Why a connection is in its state, for a fleet manager."""

    ACCOUNT_ISSUE = (
        "status.account_issue",
        _("The maker wants something settled in the driver's account, such as new terms of use."),
    )
    ACCOUNT_PERMISSION = (
        "status.account_permission",
        _("The driver's account at the maker does not allow what the fleet asks for."),
    )
    ACCOUNT_SUBSCRIPTION = (
        "status.account_subscription",
        _(
            "The maker's connected services for this car have ended, were never started, or do not include this."
        ),
    )
    ACCOUNT_SUSPENDED = (
        "status.account_suspended",
        _("Smartcar has suspended this site's account over an unpaid bill."),
    )
    AUTHENTICATION_FAILED = (
        "status.authentication_failed",
        _("The maker no longer accepts the driver's sign-in, for example after a new password."),
    )
    CALL_SUCCEEDED = "status.call_succeeded", _("Smartcar answers requests for this car again.")
    CONNECTED = "status.connected", _("Connected by the driver.")
    DATA_RECEIVED = "status.data_received", _("Data arrives.")
    DISCONNECTED = "status.disconnected", _("Disconnected by the fleet.")
    GRANT_ENDED = (
        "status.grant_ended",
        _("Smartcar does not list this connection any more: the driver ended it there."),
    )
    LISTED_AGAIN = "status.listed_again", _("Smartcar lists this connection again.")
    NEW_MONTH = "status.new_month", _("A new month has begun, with new requests.")
    NO_DATA = "status.no_data", _("Nothing was heard of the car for far longer than is normal.")
    NO_VEHICLES = "status.no_vehicles", _("The driver's account at the maker has no car any more.")
    PERMISSION_MISSING = (
        "status.permission_missing",
        _("The driver's permission does not cover what the fleet asks for."),
    )
    PLAN_LIMIT = "status.plan_limit", _("The Smartcar plan does not cover this car.")
    REAUTHENTICATED = "status.reauthenticated", _("The driver signed in again; waiting for data.")
    REAUTHENTICATION_NEEDED = (
        "status.reauthentication_needed",
        _("The maker asks the driver to sign in again."),
    )
    REPLACED = (
        "status.replaced",
        _("Replaced: the driver shares the car by the fleet's new application."),
    )
    REQUESTS_USED_UP = (
        "status.requests_used_up",
        _("This month's requests for the car are used up. Pushed data still arrives."),
    )
    RESOLVED = "status.resolved", _("Smartcar reports that the trouble is over.")
    SUBSCRIPTION_NEEDED = (
        "status.subscription_needed",
        _("The maker's connected services are not active for this car."),
    )
    TOKEN_REJECTED = "status.token_rejected", _("Smartcar no longer accepts the driver's token.")
    VEHICLE_LIMIT = "status.vehicle_limit", _("The Smartcar plan has no room for this car.")
    VEHICLE_MISSING = (
        "status.vehicle_missing",
        _("The car is no longer in the driver's account at the maker."),
    )
    WITHDRAWN = "status.withdrawn", _("Withdrawn by the driver.")


class StateEvidence(MessageCatalog):
    """What a change of a connection's state is based on."""

    AUTHORIZATION = "evidence.authorization", _("Smartcar Connect, trip %(number)s")
    CALENDAR = "evidence.calendar", _("the calendar")
    CALL_REJECTED = "evidence.call_rejected", _("a call that was refused")
    CALL_SUCCEEDED = "evidence.call_succeeded", _("a call that worked")
    CONNECTION = "evidence.connection", _("connection %(number)s")
    CONNECTION_LIST = "evidence.connection_list", _("Smartcar's list of connections")
    EVENT = "evidence.event", _("event %(event)s")
    FRESH_DATA = "evidence.fresh_data", _("fresh data")
    NO_DATA = "evidence.no_data", _("silence of %(hours)s hours")
    NO_DATA_SINCE = "evidence.no_data_since", _("%(evidence)s, and silence since")
    OFFBOARDING = "evidence.offboarding", _("removal %(number)s")
    READ = "evidence.read", _("reading of the vehicle (delivery %(delivery)s)")
    RECONCILIATION = "evidence.reconciliation", _("the nightly comparison")
    REFRESH_REJECTED = "evidence.refresh_rejected", _("a refresh of the token that was refused")
    REQUEST = "evidence.request", _("request %(request)s")


class SubscriptionProblem(MessageCatalog):
    """Why a vehicle is not subscribed to the webhook."""

    NO_WEBHOOK = "subscription.no_webhook", _("No webhook is set: SMARTCAR_WEBHOOK_ID is empty.")
    NO_WEBHOOK_FOR_APPLICATION = (
        "subscription.no_webhook_for_application",
        _("No webhook is set: that of %(name)s is empty."),
    )


class TokenProblem(MessageCatalog):
    """Why there is no valid token for a connection."""

    GRANT_ENDED = (
        "tokens.grant_ended",
        _("The driver's permission has ended. Ask the driver to connect the car again."),
    )
    REFRESH_TIMEOUT = (
        "tokens.refresh_timeout",
        _("Renewing the token takes too long. Try again in a minute."),
    )
    UNREADABLE = (
        "tokens.unreadable",
        _(
            "A stored token was encrypted with a key that is not in FIELD_ENCRYPTION_KEYS. Put the former key back at "
            "the end of the list."
        ),
    )


class OffboardingProblem(MessageCatalog):
    """Why an offboarding is not finished yet."""

    STILL_LISTED = "offboarding.still_listed", _("Smartcar's list of connections still shows it.")


class ErasureNote(MessageCatalog):
    """Why rows of one kind stay when a vehicle leaves."""

    ONLY_PLACES = "erasure.only_places", _("Kept: only the places were to be erased.")
    VEHICLE_SHARED = (
        "erasure.vehicle_shared",
        _("Kept: another driver of the fleet still shares this car."),
    )


class ReconciliationNote(MessageCatalog):
    """How a reconciliation ended, and what became of each discrepancy."""

    CHANGED_MEANWHILE = "reconciliation.changed_meanwhile", _("It has changed meanwhile.")
    CONNECTION_ENDED = (
        "reconciliation.connection_ended",
        _("The connection is shown as ended; its driver has to connect the car again."),
    )
    CONNECTION_RESTORED = "reconciliation.connection_restored", _("The connection stands again.")
    GRANT_ENDED = "reconciliation.grant_ended", _("It was ended at Smartcar.")
    GRANT_NOT_ENDED = "reconciliation.grant_not_ended", _("It could not be ended: %(why)s")
    ID_UPDATED = "reconciliation.id_updated", _("The new id was noted.")
    INTERRUPTED = "reconciliation.interrupted", _("It was cut short.")
    NO_TOKENS = (
        "reconciliation.no_tokens",
        _("No tokens are left to end it with: end it in Smartcar's dashboard."),
    )
    NOT_CONFIRMED = (
        "reconciliation.not_confirmed",
        _("Left alone: Smartcar could not be asked again about this one."),
    )
    RECREATED = (
        "reconciliation.recreated",
        _("Reported only: its driver made it anew at Smartcar since it was removed here."),
    )
    RESUBSCRIBING = "reconciliation.resubscribing", _("It is being subscribed again.")
    STILL_LISTED = (
        "reconciliation.still_listed",
        _("Left alone: asked again about this one, Smartcar still lists it."),
    )
    TOO_MANY_MISSING = (
        "reconciliation.too_many_missing",
        _("Left alone: too many were missing at once."),
    )
    UNKNOWN = "reconciliation.unknown", _("Reported only: nobody here has connected it.")


class AuthorizationOutcome(MessageCatalog):
    """How an authorization in Smartcar Connect ended; for the person on it, the title of what went wrong."""

    ACCESS_DENIED = "authorization.access_denied", _("Access was not allowed")
    CONFIGURATION_ERROR = (
        "authorization.configuration_error",
        _("This site's Smartcar application is set up wrongly"),
    )
    CONNECTED = "authorization.connected", _("Vehicles connected: %(count)s")
    CREDENTIALS_REJECTED = (
        "authorization.credentials_rejected",
        _("Smartcar does not accept our credentials"),
    )
    INCOMPLETE = "authorization.incomplete", _("Smartcar sent you back without an answer")
    INVALID_SUBSCRIPTION = (
        "authorization.invalid_subscription",
        _("The car's connected services are not active"),
    )
    INVITATION_CLOSED = "authorization.invitation_closed", _("This invitation is not open any more")
    NO_BATTERY_SIZE = "authorization.no_battery_size", _("No battery size was chosen")
    NO_VEHICLES = "authorization.no_vehicles", _("No car in this account")
    NOTHING_SHARED = "authorization.nothing_shared", _("No car was shared")
    RETURNED_EARLY = "authorization.returned_early", _("You came back before a car was connected")
    SERVER_ERROR = "authorization.server_error", _("Smartcar had a problem")
    SIGN_IN_CANCELED = "authorization.sign_in_canceled", _("The sign-in at the maker was cancelled")
    UNCONFIRMED = "authorization.unconfirmed", _("Smartcar does not confirm this sign-in")
    UNKNOWN_ERROR = "authorization.unknown_error", _("The car was not connected")
    UNKNOWN_STATE = "authorization.unknown_state", _("This link back from Smartcar is not ours")
    UNREACHABLE = "authorization.unreachable", _("Smartcar did not answer")
    VEHICLE_INCOMPATIBLE = "authorization.vehicle_incompatible", _("This car cannot be connected")


class ReportableError(Protocol):
    """An error with a message for people, such as smartcar_api.SmartcarError."""

    @property
    def message(self) -> Message: ...

    @property
    def smartcar_message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as three columns store it: our message, and Smartcar's own words, which take precedence."""

    message: Message = field(default_factory=Message)
    smartcar_message: str = ""

    @classmethod
    def from_error(cls, error: ReportableError) -> "Problem":
        return cls(error.message, error.smartcar_message)

    def __str__(self) -> str:
        return self.smartcar_message or str(self.message)

    def __bool__(self) -> bool:
        return bool(self.message or self.smartcar_message)

    def columns(self, name: str) -> dict[str, Any]:
        """The values of the columns `<name>_code`, `<name>_params` and `<name>_smartcar_message`."""
        return {
            f"{name}_code": self.message.code,
            f"{name}_params": self.message.params,
            f"{name}_smartcar_message": self.smartcar_message,
        }


NO_PROBLEM = Problem()


def code_field() -> "models.CharField[str, str]":
    """The column of a message's code."""
    return models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")


def params_field() -> "models.JSONField[Any, Any]":
    """The column of a message's parameters."""
    return models.JSONField(blank=True, default=dict, db_default={})


def smartcar_message_field() -> "models.CharField[str, str]":
    """The column of Smartcar's own words."""
    return models.CharField(max_length=500, blank=True, default="", db_default="")
