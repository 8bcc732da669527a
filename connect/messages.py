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
        _("The manufacturer requires a step in the driver's account, such as accepting new terms of use."),
    )
    ACCOUNT_PERMISSION = (
        "status.account_permission",
        _("The driver's manufacturer account doesn't allow what the fleet requests."),
    )
    ACCOUNT_SUBSCRIPTION = (
        "status.account_subscription",
        _(
            "The manufacturer's connected services for this vehicle have ended, were never "
            "activated, or don't include this feature."
        ),
    )
    ACCOUNT_SUSPENDED = (
        "status.account_suspended",
        _("Smartcar has suspended this site's account because of an unpaid bill."),
    )
    AUTHENTICATION_FAILED = (
        "status.authentication_failed",
        _(
            "The manufacturer no longer accepts the driver's sign-in, for example because the "
            "password changed."
        ),
    )
    CALL_SUCCEEDED = "status.call_succeeded", _("Smartcar responds to requests for this vehicle again.")
    CONNECTED = "status.connected", _("Connected by the driver.")
    DATA_RECEIVED = "status.data_received", _("Receiving data.")
    DISCONNECTED = "status.disconnected", _("Disconnected by the fleet.")
    GRANT_ENDED = (
        "status.grant_ended",
        _("Smartcar no longer lists this connection because the driver revoked access there."),
    )
    LISTED_AGAIN = "status.listed_again", _("Smartcar lists this connection again.")
    NEW_MONTH = "status.new_month", _("A new month has started, so the API call limit was reset.")
    NO_DATA = "status.no_data", _("No data from the vehicle for much longer than usual.")
    NO_VEHICLES = "status.no_vehicles", _("The driver's manufacturer account no longer has any vehicles.")
    PERMISSION_MISSING = (
        "status.permission_missing",
        _("The driver's permissions don't cover what the fleet requests."),
    )
    PLAN_LIMIT = "status.plan_limit", _("The Smartcar plan doesn't cover this vehicle.")
    REAUTHENTICATED = "status.reauthenticated", _("The driver signed in again. Awaiting data.")
    REAUTHENTICATION_NEEDED = (
        "status.reauthentication_needed",
        _("The manufacturer requires the driver to sign in again."),
    )
    REPLACED = (
        "status.replaced",
        _("Replaced: the driver now shares the vehicle through the fleet's new application."),
    )
    RETIRED = "status.retired", _("Tesla no longer lists the vehicle for your company.")
    REQUESTS_USED_UP = (
        "status.requests_used_up",
        _("The vehicle has reached its monthly API call limit. Data pushed by Smartcar still arrives."),
    )
    RESOLVED = "status.resolved", _("Smartcar reports that the problem is resolved.")
    SUBSCRIPTION_NEEDED = (
        "status.subscription_needed",
        _("The manufacturer's connected services aren't active for this vehicle."),
    )
    TOKEN_REJECTED = "status.token_rejected", _("Smartcar no longer accepts the driver's token.")
    VEHICLE_LIMIT = "status.vehicle_limit", _("The Smartcar plan's vehicle limit has been reached.")
    VEHICLE_MISSING = (
        "status.vehicle_missing",
        _("The vehicle is no longer in the driver's manufacturer account."),
    )
    WITHDRAWN = "status.withdrawn", _("The driver stopped sharing.")


class StateEvidence(MessageCatalog):
    """What a change of a connection's state is based on."""

    AUTHORIZATION = "evidence.authorization", _("Smartcar Connect, authorization %(number)s")
    CALENDAR = "evidence.calendar", _("start of a new month")
    CALL_REJECTED = "evidence.call_rejected", _("rejected API call")
    CALL_SUCCEEDED = "evidence.call_succeeded", _("successful API call")
    CONNECTION = "evidence.connection", _("connection %(number)s")
    CONNECTION_LIST = "evidence.connection_list", _("Smartcar's connection list")
    EVENT = "evidence.event", _("event %(event)s")
    FRESH_DATA = "evidence.fresh_data", _("new data")
    NO_DATA = "evidence.no_data", _("no data for %(hours)s hours")
    NO_DATA_SINCE = "evidence.no_data_since", _("%(evidence)s, then no data")
    OFFBOARDING = "evidence.offboarding", _("disconnect request %(number)s")
    READ = "evidence.read", _("vehicle data refresh (delivery %(delivery)s)")
    RECONCILIATION = "evidence.reconciliation", _("nightly reconciliation")
    REFRESH_REJECTED = "evidence.refresh_rejected", _("rejected token renewal")
    REQUEST = "evidence.request", _("request %(request)s")


class SubscriptionProblem(MessageCatalog):
    """Why a vehicle is not subscribed to the webhook."""

    NO_WEBHOOK = "subscription.no_webhook", _("No webhook ID is set: SMARTCAR_WEBHOOK_ID is empty.")
    NO_WEBHOOK_FOR_APPLICATION = (
        "subscription.no_webhook_for_application",
        _("No webhook ID is set for %(name)s."),
    )


class TokenProblem(MessageCatalog):
    """Why there is no valid token for a connection."""

    GRANT_ENDED = (
        "tokens.grant_ended",
        _("The driver's authorization has ended. Ask the driver to reconnect the vehicle."),
    )
    REFRESH_TIMEOUT = (
        "tokens.refresh_timeout",
        _("The token renewal timed out. Try again in a minute."),
    )
    UNREADABLE = (
        "tokens.unreadable",
        _(
            "A stored token was encrypted with a key that isn't in FIELD_ENCRYPTION_KEYS. Add "
            "the previous key back to the end of the list."
        ),
    )


class OffboardingProblem(MessageCatalog):
    """Why an offboarding is not finished yet."""

    DATA_FOUND = (
        "offboarding.data_found",
        _("A search found more data to delete, in these tables (records): %(tables)s."),
    )
    NOT_SEARCHED = (
        "offboarding.not_searched",
        _(
            "What to search for was encrypted with a key that isn't in FIELD_ENCRYPTION_KEYS. Add "
            "the previous key back to the end of the list."
        ),
    )
    STILL_LISTED = "offboarding.still_listed", _("Smartcar still lists the connection.")


class ErasureNote(MessageCatalog):
    """Why rows of one kind are retained when a vehicle is offboarded."""

    DRIVER_SHARES = (
        "erasure.driver_shares",
        _("Kept: the driver still shares a vehicle with the fleet."),
    )
    ONLY_PLACES = "erasure.only_places", _("Kept: only location history is deleted.")
    VEHICLE_SHARED = (
        "erasure.vehicle_shared",
        _("Kept: still shared by another driver in the fleet."),
    )


class ReconciliationNote(MessageCatalog):
    """How a reconciliation ended, and how each discrepancy was handled."""

    CHANGED_MEANWHILE = "reconciliation.changed_meanwhile", _("The connection changed in the meantime.")
    CONNECTION_ENDED = (
        "reconciliation.connection_ended",
        _("The connection is marked as ended. The driver needs to reconnect the vehicle."),
    )
    CONNECTION_RESTORED = "reconciliation.connection_restored", _("Connection restored.")
    GRANT_ENDED = "reconciliation.grant_ended", _("Access revoked at Smartcar.")
    GRANT_NOT_ENDED = "reconciliation.grant_not_ended", _("Couldn't end the connection: %(why)s")
    ID_UPDATED = "reconciliation.id_updated", _("The new ID was saved.")
    INTERRUPTED = "reconciliation.interrupted", _("The reconciliation was interrupted.")
    NO_TOKENS = (
        "reconciliation.no_tokens",
        _("No tokens are left to end the connection. End the connection in the Smartcar dashboard."),
    )
    NOT_CONFIRMED = (
        "reconciliation.not_confirmed",
        _("No change: Smartcar couldn't be queried again about this connection."),
    )
    RECREATED = (
        "reconciliation.recreated",
        _("Reported only: the driver reconnected at Smartcar after the vehicle was disconnected here."),
    )
    RESUBSCRIBING = "reconciliation.resubscribing", _("Resubscribing to the webhook.")
    STILL_LISTED = (
        "reconciliation.still_listed",
        _("No change: Smartcar still listed this connection when checked again."),
    )
    TOO_MANY_MISSING = (
        "reconciliation.too_many_missing",
        _("No change: too many connections were missing at once."),
    )
    UNKNOWN = "reconciliation.unknown", _("Reported only: not connected here.")


class AuthorizationOutcome(MessageCatalog):
    """How an authorization in Smartcar Connect ended; also the title of the error page."""

    ACCESS_DENIED = "authorization.access_denied", _("Access wasn't allowed")
    CONFIGURATION_ERROR = (
        "authorization.configuration_error",
        _("This site's Smartcar application isn't set up correctly"),
    )
    CONNECTED = "authorization.connected", _("Vehicles connected: %(count)s")
    EXPIRED = "authorization.expired", _("This sign-in has expired")
    IN_PROGRESS = "authorization.in_progress", _("This sign-in is still being completed")
    INTERRUPTED = "authorization.interrupted", _("This sign-in was interrupted")
    OTHER_BROWSER = "authorization.other_browser", _("This sign-in was started in another browser")
    CREDENTIALS_REJECTED = (
        "authorization.credentials_rejected",
        _("Smartcar rejected our credentials"),
    )
    INCOMPLETE = "authorization.incomplete", _("Smartcar's response was incomplete")
    INVALID_SUBSCRIPTION = (
        "authorization.invalid_subscription",
        _("The car's connected services aren't active"),
    )
    INVITATION_CLOSED = "authorization.invitation_closed", _("This invitation is no longer valid")
    NO_BATTERY_SIZE = "authorization.no_battery_size", _("No battery size was selected")
    NO_VEHICLES = "authorization.no_vehicles", _("No car in this account")
    NOTHING_SHARED = "authorization.nothing_shared", _("No car was shared")
    RETURNED_EARLY = "authorization.returned_early", _("No car was connected")
    SERVER_ERROR = "authorization.server_error", _("Something went wrong on Smartcar's side")
    SIGN_IN_CANCELED = "authorization.sign_in_canceled", _("The manufacturer sign-in was canceled")
    UNCONFIRMED = "authorization.unconfirmed", _("Smartcar couldn't confirm this sign-in")
    UNKNOWN_ERROR = "authorization.unknown_error", _("The car wasn't connected")
    UNKNOWN_STATE = "authorization.unknown_state", _("We couldn't match this to a request")
    UNREACHABLE = "authorization.unreachable", _("Smartcar didn't respond")
    VEHICLE_INCOMPATIBLE = "authorization.vehicle_incompatible", _("This car can't be connected")


class ReportableError(Protocol):
    """An error with a message for users, such as smartcar_api.SmartcarError."""

    @property
    def message(self) -> Message: ...

    @property
    def smartcar_message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as three columns store it: our message, and Smartcar's own message, in English."""

    message: Message = field(default_factory=Message)
    smartcar_message: str = ""

    @classmethod
    def from_error(cls, error: ReportableError) -> "Problem":
        return cls(error.message, error.smartcar_message)

    def __str__(self) -> str:
        return str(self.message) or self.smartcar_message

    @property
    def original(self) -> str:
        """Smartcar's own message, if ours took its place; else ""."""
        return self.smartcar_message if self.message else ""

    def __bool__(self) -> bool:
        return bool(self.message or self.smartcar_message)

    def columns(self, name: str) -> dict[str, Any]:
        """Returns the values of the columns `<name>_code`, `<name>_params` and `<name>_smartcar_message`."""
        return {
            f"{name}_code": self.message.code,
            f"{name}_params": self.message.params,
            f"{name}_smartcar_message": self.smartcar_message,
        }


NO_PROBLEM = Problem()


def code_field() -> "models.CharField[str, str]":
    """Returns the column for a message's code."""
    return models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")


def params_field() -> "models.JSONField[Any, Any]":
    """Returns the column for a message's parameters."""
    return models.JSONField(blank=True, default=dict, db_default={})


def smartcar_message_field() -> "models.CharField[str, str]":
    """Returns the column for Smartcar's own message."""
    return models.CharField(max_length=500, blank=True, default="", db_default="")
