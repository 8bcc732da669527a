"""Messages for users about Smartcar's errors: what happened, why, and what to do next.

Rows store the code and parameters from `code_for`, and `text_for` renders them for display. Smartcar's own message for
the driver (`SmartcarError.smartcar_message`) is stored in a separate column and takes precedence.
The types and codes: Smartcar documentation, "API Errors".
"""

import re
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.message_codes import MessageCatalog, Params, render

if TYPE_CHECKING:
    from smartcar_api.errors import SmartcarError

_PLACEHOLDER = re.compile(r"<[^<>]*>")

_RECONNECT = _("Have the driver connect the car again.")
_LATER = _("Wait a few minutes and try again.")
_LOG = _("The car is not at fault. Whoever runs this site should look at the site's log.")


def _with(text: Promise, next_step: Promise) -> Promise:
    return format_lazy("{} {}", text, next_step)


class ErrorMessage(MessageCatalog):
    """Our message for each type and code. The value is `smartcar.<type>.<code>` or `smartcar.<type>`."""

    CONNECTED_SERVICES_ACCOUNT_ACCOUNT_ISSUE = (
        "smartcar.connected_services_account.account_issue",
        _(
            "The maker refused the request: something is to be settled in the driver's account. Have the "
            "driver sign in to the maker's app and finish what it asks for."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_AUTHENTICATION_FAILED = (
        "smartcar.connected_services_account.authentication_failed",
        _with(
            _(
                "The manufacturer no longer accepts the driver's sign-in, for example because the "
                "password changed."
            ),
            _RECONNECT,
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_NO_VEHICLES = (
        "smartcar.connected_services_account.no_vehicles",
        _(
            "The driver's account at the maker has no car any more. Have the driver add the car there, then "
            "connect again."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_PERMISSION = (
        "smartcar.connected_services_account.permission",
        _with(_("The driver's account at the maker may not do this with the car."), _RECONNECT),
    )
    CONNECTED_SERVICES_ACCOUNT_SUBSCRIPTION = (
        "smartcar.connected_services_account.subscription",
        _(
            "The maker refused the request: the car's connected services have ended or were never started. "
            "Have the driver renew them in the maker's app."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_VEHICLE_MISSING = (
        "smartcar.connected_services_account.vehicle_missing",
        _(
            "The car is no longer in the driver's account at the maker. Have the driver add it there, then "
            "connect again."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_VIRTUAL_KEY_REQUIRED = (
        "smartcar.connected_services_account.virtual_key_required",
        _(
            "The car takes no commands from us: it has no virtual key for Smartcar yet. Have the driver add "
            "it with the maker's app."
        ),
    )
    VEHICLE_STATE_ASLEEP = (
        "smartcar.vehicle_state.asleep",
        _(
            "The car is asleep, and the request was not sent, to spare its battery. Try again when it is in use."
        ),
    )
    VEHICLE_STATE_DOOR_OPEN = (
        "smartcar.vehicle_state.door_open",
        _("The car could not be locked: a door is open. Close all doors and try again."),
    )
    VEHICLE_STATE_HOOD_OPEN = (
        "smartcar.vehicle_state.hood_open",
        _("The car refused: its hood is open. Close it and try again."),
    )
    VEHICLE_STATE_TRUNK_OPEN = (
        "smartcar.vehicle_state.trunk_open",
        _("The car refused: its trunk is open. Close it and try again."),
    )
    VEHICLE_STATE_IGNITION_ON = (
        "smartcar.vehicle_state.ignition_on",
        _("The car refused: it is switched on. Switch it off and try again."),
    )
    VEHICLE_STATE_IN_MOTION = (
        "smartcar.vehicle_state.in_motion",
        _("The car refused: it is moving. Try again when it stands."),
    )
    VEHICLE_STATE_LOW_BATTERY = (
        "smartcar.vehicle_state.low_battery",
        _("The car refused: its battery is too low. Charge it and try again."),
    )
    VEHICLE_STATE_CHARGING_PLUG_NOT_CONNECTED = (
        "smartcar.vehicle_state.charging_plug_not_connected",
        _("The car refused: it is not plugged in. Plug it in and try again."),
    )
    VEHICLE_STATE_CHARGING_PLUG_CONNECTED = (
        "smartcar.vehicle_state.charging_plug_connected",
        _("The car refused: it is plugged in. Unplug it and try again."),
    )
    VEHICLE_STATE_CHARGING_IN_PROGRESS = (
        "smartcar.vehicle_state.charging_in_progress",
        _("The car charges already. Nothing is left to do."),
    )
    VEHICLE_STATE_NOT_CHARGING = (
        "smartcar.vehicle_state.not_charging",
        _("The car does not charge. Nothing is left to stop."),
    )
    VEHICLE_STATE_FULLY_CHARGED = (
        "smartcar.vehicle_state.fully_charged",
        _("The car is fully charged. Nothing is left to do."),
    )
    VEHICLE_STATE_CHARGE_FAULT = (
        "smartcar.vehicle_state.charge_fault",
        _(
            "The car refused: its own charging schedule is in the way. Change that in the car or the maker's app."
        ),
    )
    VEHICLE_STATE_REMOTE_ACCESS_DISABLED = (
        "smartcar.vehicle_state.remote_access_disabled",
        _(
            "The car refused: remote access is switched off in it. Have the driver switch it on in the car's "
            "settings."
        ),
    )
    VEHICLE_STATE_UNREACHABLE = (
        "smartcar.vehicle_state.unreachable",
        _(
            "The car could not be reached, most likely for want of mobile coverage. Try again when it has moved."
        ),
    )
    VEHICLE_STATE_VEHICLE_OFFLINE_FOR_SERVICE = (
        "smartcar.vehicle_state.vehicle_offline_for_service",
        _("The car is in service mode and takes no requests. Try again when the service is over."),
    )
    VEHICLE_STATE_DEVICE_PAIRING_REQUIRED = (
        "smartcar.vehicle_state.device_pairing_required",
        _(
            "The car takes no commands from us: it wants a paired device. Have the driver finish the pairing "
            "in the maker's app."
        ),
    )
    RATE_LIMIT_VEHICLE = (
        "smartcar.rate_limit.vehicle",
        _with(_("Too many requests for this car in a short time; Smartcar spares its battery."), _LATER),
    )
    BILLING_VEHICLE_REQUEST_LIMIT = (
        "smartcar.billing.vehicle_request_limit",
        _(
            "This month's requests for the car are used up. It works again when the month turns, or with a "
            "larger plan."
        ),
    )
    BILLING_VEHICLE_LIMIT = (
        "smartcar.billing.vehicle_limit",
        _(
            "The Smartcar plan has no room for another car. The car is not at fault. Whoever runs this site "
            "should enlarge the plan or remove a car."
        ),
    )
    BILLING_ACCOUNT_SUSPENDED = (
        "smartcar.billing.account_suspended",
        _(
            "Smartcar has suspended our account over an unpaid bill. The car is not at fault. Whoever runs "
            "this site should settle it with Smartcar."
        ),
    )
    NO_ANSWER_TIMEOUT = (
        "smartcar.no_answer.timeout",
        _(
            "Smartcar did not answer in time, so we cannot tell what became of the request. Wait for the "
            "car's next report."
        ),
    )
    NOT_SENT_UNSUPPORTED = (
        "smartcar.not_sent.unsupported",
        _(
            "Smartcar's older API (v2), which this car is connected with, has no such command, so nothing was "
            "sent. It works once the fleet has changed to v3."
        ),
    )
    NOT_SENT_NO_ROOM = (
        "smartcar.not_sent.no_room",
        _with(
            _(
                "Smartcar lets us send only so many requests, and they are used up for the moment, so nothing was "
                "sent."
            ),
            _LATER,
        ),
    )
    NOT_SENT_CAR_RESTS = (
        "smartcar.not_sent.car_rests",
        _with(
            _(
                "Smartcar asked us to leave this car alone for a while, to spare its battery, so nothing was sent."
            ),
            _LATER,
        ),
    )
    NOT_SENT_NO_ALLOWANCE = (
        "smartcar.not_sent.no_allowance",
        _(
            "This month's requests for the car are used up, so it is no longer read by itself. That goes on "
            "when the month turns. Commands and a reading by hand still go."
        ),
    )
    NOT_SENT_HOST_DOWN = (
        "smartcar.not_sent.host_down",
        _(
            "Smartcar has not answered several times in a row, so nothing was sent. Wait half a minute and "
            "try again."
        ),
    )
    NOT_SENT_CONNECT_FAILED = (
        "smartcar.not_sent.connect_failed",
        _with(_("Smartcar could not be reached, so nothing was sent."), _LATER),
    )
    AUTHENTICATION = (
        "smartcar.authentication",
        _(
            "Smartcar did not accept our sign-in for this request. Try again; if that stays, whoever runs "
            "this site should check the Smartcar credentials in its settings."
        ),
    )
    INVALID_CLIENT = (
        "smartcar.invalid_client",
        _(
            "Smartcar does not accept our credentials. The car is not at fault. Whoever runs this site should "
            "check them in the settings."
        ),
    )
    UNAUTHORIZED_CLIENT = (
        "smartcar.unauthorized_client",
        _(
            "Smartcar does not allow our application to do this, for example with this make. The car is not "
            "at fault. Whoever runs this site should ask Smartcar."
        ),
    )
    INVALID_GRANT = (
        "smartcar.invalid_grant",
        _with(_("The driver's permission has ended, or the link was used before."), _RECONNECT),
    )
    BILLING = (
        "smartcar.billing",
        _(
            "Our Smartcar plan does not cover this request. The car is not at fault. Whoever runs this site "
            "should look at the plan in Smartcar's dashboard."
        ),
    )
    COMPATIBILITY = (
        "smartcar.compatibility",
        _("This car cannot do that through Smartcar. Nothing can be done from here."),
    )
    CONNECTED_SERVICES_ACCOUNT = (
        "smartcar.connected_services_account",
        _with(_("The maker refused the request because of the driver's account there."), _RECONNECT),
    )
    GATEWAY = "smartcar.gateway", _with(_("Smartcar has a problem at the moment."), _LATER)
    NO_ANSWER = (
        "smartcar.no_answer",
        _(
            "The connection to Smartcar broke, so we cannot tell what became of the request. Wait for the "
            "car's next report."
        ),
    )
    NOT_SENT = "smartcar.not_sent", _with(_("We could not make this request, so nothing was sent."), _LOG)
    PERMISSION = "smartcar.permission", _with(_("The driver did not allow this."), _RECONNECT)
    RATE_LIMIT = (
        "smartcar.rate_limit",
        _with(_("We have sent Smartcar too many requests in a short time."), _LATER),
    )
    RESOURCE_NOT_FOUND = (
        "smartcar.resource_not_found",
        _(
            "Smartcar does not know this car or this connection any more. If that stays, have the driver "
            "connect the car again."
        ),
    )
    SERVER = "smartcar.server", _with(_("Smartcar has a problem at the moment."), _LATER)
    UNREADABLE_ANSWER = (
        "smartcar.unreadable_answer",
        _(
            "Smartcar sent an answer that we cannot read, so we cannot tell what became of the request. Wait "
            "for the car's next report."
        ),
    )
    UPSTREAM = "smartcar.upstream", _with(_("The maker's service has a problem at the moment."), _LATER)
    VALIDATION = "smartcar.validation", _with(_("Smartcar did not accept the form of our request."), _LOG)
    VEHICLE_STATE = (
        "smartcar.vehicle_state",
        _("The car refused because of the state it is in. Look at the car and try again."),
    )
    UNKNOWN = (
        "smartcar.unknown",
        _with(_("Smartcar refused the request and gave a reason that we do not know."), _LOG),
    )


def code_for(error: "SmartcarError") -> tuple[str, dict[str, Any]]:
    """Returns the code and parameters of our message for an error, by its type and code, its type, or its status."""
    for name in (f"{error.type}.{error.code}", error.type):
        if (code := f"smartcar.{name.lower()}") in ErrorMessage.values:
            return code, {}
    return (ErrorMessage.SERVER if error.status >= 500 else ErrorMessage.UNKNOWN).value, {}


def text_for(code: str, params: Params | None = None, smartcar_message: str = "") -> str:
    """Returns Smartcar's own message if there is one, or else ours in the active language."""
    return smartcar_message or render(code, params)


def without_gaps(suggested: str) -> str:
    """Returns Smartcar's suggested message, or "" if it contains unfilled placeholders ("<app name>")."""
    return "" if _PLACEHOLDER.search(suggested) else suggested
