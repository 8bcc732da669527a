"""Messages for users about Smartcar's errors: what happened, why, and what to do next.

Rows store the code and parameters from `code_for`. Smartcar's own message for the driver
(`SmartcarError.smartcar_message`), which is English, is stored in a separate column, and pages show it folded.
The types and codes: Smartcar documentation, "API Errors".
"""

import re
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.message_codes import MessageCatalog

if TYPE_CHECKING:
    from smartcar_api.errors import SmartcarError

_PLACEHOLDER = re.compile(r"<[^<>]*>")

_RECONNECT = _("Ask the driver to reconnect the vehicle.")
_LATER = _("Wait a few minutes and try again.")
_LOG = _("The vehicle isn't the cause. Ask this site's administrator to check the server log.")


def _with(text: Promise, next_step: Promise) -> Promise:
    return format_lazy("{} {}", text, next_step)


class ErrorMessage(MessageCatalog):
    """Our message for each type and code. The value is `smartcar.<type>.<code>` or `smartcar.<type>`."""

    CONNECTED_SERVICES_ACCOUNT_ACCOUNT_ISSUE = (
        "smartcar.connected_services_account.account_issue",
        _(
            "The manufacturer rejected the request because the driver's account needs attention. "
            "Ask the driver to sign in to the manufacturer's app and follow its instructions."
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
            "The driver's manufacturer account no longer contains a vehicle. Ask the driver to "
            "add the vehicle there, then reconnect it."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_PERMISSION = (
        "smartcar.connected_services_account.permission",
        _with(_("The driver's manufacturer account isn't allowed to do this with the vehicle."), _RECONNECT),
    )
    CONNECTED_SERVICES_ACCOUNT_SUBSCRIPTION = (
        "smartcar.connected_services_account.subscription",
        _(
            "The manufacturer rejected the request because the vehicle's connected services have "
            "expired or were never activated. Ask the driver to renew them in the manufacturer's "
            "app."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_VEHICLE_MISSING = (
        "smartcar.connected_services_account.vehicle_missing",
        _(
            "The vehicle is no longer in the driver's manufacturer account. Ask the driver to "
            "add the vehicle there, then reconnect it."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT_VIRTUAL_KEY_REQUIRED = (
        "smartcar.connected_services_account.virtual_key_required",
        _(
            "The vehicle has no virtual key for Smartcar yet, so it doesn't accept commands. Ask "
            "the driver to add the key in the manufacturer's app."
        ),
    )
    VEHICLE_STATE_ASLEEP = (
        "smartcar.vehicle_state.asleep",
        _(
            "The vehicle is asleep. The request wasn't sent, to save its battery. Try again when "
            "the vehicle is in use."
        ),
    )
    VEHICLE_STATE_DOOR_OPEN = (
        "smartcar.vehicle_state.door_open",
        _(
            "The vehicle rejected the command because a door or the trunk is open. Close all doors and the trunk, "
            "and try again."
        ),
    )
    VEHICLE_STATE_HOOD_OPEN = (
        "smartcar.vehicle_state.hood_open",
        _("The vehicle rejected the command because its hood is open. Close the hood and try again."),
    )
    VEHICLE_STATE_TRUNK_OPEN = (
        "smartcar.vehicle_state.trunk_open",
        _("The vehicle rejected the command because its trunk is open. Close the trunk and try again."),
    )
    VEHICLE_STATE_IGNITION_ON = (
        "smartcar.vehicle_state.ignition_on",
        _("The vehicle rejected the command because it is switched on. Switch it off and try again."),
    )
    VEHICLE_STATE_IN_MOTION = (
        "smartcar.vehicle_state.in_motion",
        _("The vehicle rejected the command because it is moving. Try again when it is parked."),
    )
    VEHICLE_STATE_LOW_BATTERY = (
        "smartcar.vehicle_state.low_battery",
        _(
            "The vehicle rejected the command because its battery is too low. Charge the vehicle "
            "and try again."
        ),
    )
    VEHICLE_STATE_CHARGING_PLUG_NOT_CONNECTED = (
        "smartcar.vehicle_state.charging_plug_not_connected",
        _("The vehicle rejected the command because it isn't plugged in. Plug it in and try again."),
    )
    VEHICLE_STATE_CHARGING_PLUG_CONNECTED = (
        "smartcar.vehicle_state.charging_plug_connected",
        _("The vehicle rejected the command because it is plugged in. Unplug it and try again."),
    )
    VEHICLE_STATE_CHARGING_IN_PROGRESS = (
        "smartcar.vehicle_state.charging_in_progress",
        _("The vehicle is already charging. Nothing to do."),
    )
    VEHICLE_STATE_NOT_CHARGING = (
        "smartcar.vehicle_state.not_charging",
        _("The vehicle isn't charging. Nothing to stop."),
    )
    VEHICLE_STATE_FULLY_CHARGED = (
        "smartcar.vehicle_state.fully_charged",
        _("The vehicle is fully charged. Nothing to do."),
    )
    VEHICLE_STATE_CHARGE_FAULT = (
        "smartcar.vehicle_state.charge_fault",
        _(
            "The vehicle rejected the command because of its own charging schedule. Change the "
            "schedule in the vehicle or in the manufacturer's app."
        ),
    )
    VEHICLE_STATE_REMOTE_ACCESS_DISABLED = (
        "smartcar.vehicle_state.remote_access_disabled",
        _(
            "The vehicle rejected the command because remote access is turned off. Ask the "
            "driver to turn it on in the vehicle's settings."
        ),
    )
    VEHICLE_STATE_UNREACHABLE = (
        "smartcar.vehicle_state.unreachable",
        _(
            "The vehicle couldn't be reached, most likely because it has no mobile coverage. Try "
            "again when it has moved."
        ),
    )
    VEHICLE_STATE_VEHICLE_OFFLINE_FOR_SERVICE = (
        "smartcar.vehicle_state.vehicle_offline_for_service",
        _("The vehicle is in service mode and doesn't accept requests. Try again after the service."),
    )
    VEHICLE_STATE_DEVICE_PAIRING_REQUIRED = (
        "smartcar.vehicle_state.device_pairing_required",
        _(
            "The vehicle requires a paired device, so it doesn't accept commands. Ask the driver "
            "to finish pairing in the manufacturer's app."
        ),
    )
    RATE_LIMIT_VEHICLE = (
        "smartcar.rate_limit.vehicle",
        _with(
            _(
                "Too many requests for this vehicle in a short time. Smartcar limits them to save "
                "its battery."
            ),
            _LATER,
        ),
    )
    BILLING_VEHICLE_REQUEST_LIMIT = (
        "smartcar.billing.vehicle_request_limit",
        _(
            "This month's API calls for the vehicle are used up. Requests work again next month, "
            "or with a larger plan."
        ),
    )
    BILLING_VEHICLE_LIMIT = (
        "smartcar.billing.vehicle_limit",
        _(
            "The Smartcar plan doesn't allow another vehicle. Ask this site's administrator to "
            "upgrade the plan or remove a vehicle."
        ),
    )
    BILLING_INVALID_PLAN = (
        "smartcar.billing.invalid_plan",
        _(
            "The Smartcar plan doesn't include this feature. Ask this site's administrator to upgrade the plan in the "
            "Smartcar dashboard."
        ),
    )
    BILLING_ACCOUNT_SUSPENDED = (
        "smartcar.billing.account_suspended",
        _(
            "Smartcar has suspended this site's account because of an unpaid bill. Ask this "
            "site's administrator to resolve this with Smartcar."
        ),
    )
    NO_ANSWER_TIMEOUT = (
        "smartcar.no_answer.timeout",
        _(
            "Smartcar didn't respond in time, so the result of the request is unknown. Wait for "
            "the vehicle's next update."
        ),
    )
    NOT_SENT_UNSUPPORTED = (
        "smartcar.not_sent.unsupported",
        _(
            "This vehicle is connected through Smartcar's older API (v2), which doesn't support "
            "this command, so nothing was sent. The command is available after the fleet "
            "migrates to v3."
        ),
    )
    NOT_SENT_NO_ROOM = (
        "smartcar.not_sent.no_room",
        _with(
            _("Smartcar's request limit is reached for now, so nothing was sent."),
            _LATER,
        ),
    )
    NOT_SENT_VEHICLE_COOLDOWN = (
        "smartcar.not_sent.car_rests",
        _with(
            _(
                "Smartcar has paused requests to this vehicle for a while to save its battery, so "
                "nothing was sent."
            ),
            _LATER,
        ),
    )
    NOT_SENT_NO_ALLOWANCE = (
        "smartcar.not_sent.no_allowance",
        _(
            "This month's API calls for the vehicle are used up, so automatic refresh is paused "
            "until next month. Commands and manual refreshes still work."
        ),
    )
    NOT_SENT_HOST_DOWN = (
        "smartcar.not_sent.host_down",
        _(
            "Smartcar failed to respond several times in a row, so nothing was sent. Wait 30 "
            "seconds and try again."
        ),
    )
    NOT_SENT_CONNECT_FAILED = (
        "smartcar.not_sent.connect_failed",
        _with(_("Smartcar couldn't be reached, so nothing was sent."), _LATER),
    )
    AUTHENTICATION = (
        "smartcar.authentication",
        _(
            "Smartcar didn't accept this site's authentication for the request. Try again. If "
            "the problem persists, ask this site's administrator to check the Smartcar "
            "credentials."
        ),
    )
    INVALID_CLIENT = (
        "smartcar.invalid_client",
        _("Smartcar doesn't accept this site's credentials. Ask this site's administrator to check them."),
    )
    UNAUTHORIZED_CLIENT = (
        "smartcar.unauthorized_client",
        _(
            "Smartcar doesn't allow this site's application to do this, for example with this "
            "make. Ask this site's administrator to contact Smartcar."
        ),
    )
    INVALID_GRANT = (
        "smartcar.invalid_grant",
        _with(_("The driver's authorization has ended, or the link was already used."), _RECONNECT),
    )
    BILLING = (
        "smartcar.billing",
        _(
            "The Smartcar plan doesn't cover this request. Ask this site's administrator to "
            "check the plan in the Smartcar dashboard."
        ),
    )
    COMPATIBILITY = (
        "smartcar.compatibility",
        _("This vehicle doesn't support this feature through Smartcar. Other features aren't affected."),
    )
    COMPATIBILITY_MAKE_NOT_COMPATIBLE = (
        "smartcar.compatibility.make_not_compatible",
        _("Smartcar doesn't support this feature for vehicles of this make. Other features aren't affected."),
    )
    COMPATIBILITY_PLATFORM_NOT_CAPABLE = (
        "smartcar.compatibility.platform_not_capable",
        _(
            "The vehicle is connected through an older interface of its manufacturer that doesn't "
            "support this. Ask the driver to sign in again: the vehicle then uses the new one."
        ),
    )
    CONNECTED_SERVICES_ACCOUNT = (
        "smartcar.connected_services_account",
        _with(_("The manufacturer rejected the request because of the driver's account."), _RECONNECT),
    )
    GATEWAY = "smartcar.gateway", _with(_("Smartcar is having a problem right now."), _LATER)
    NO_ANSWER = (
        "smartcar.no_answer",
        _(
            "The connection to Smartcar was lost, so the result of the request is unknown. Wait "
            "for the vehicle's next update."
        ),
    )
    NOT_SENT = "smartcar.not_sent", _with(_("The request couldn't be created, so nothing was sent."), _LOG)
    PERMISSION = "smartcar.permission", _with(_("The driver didn't grant permission for this."), _RECONNECT)
    RATE_LIMIT = (
        "smartcar.rate_limit",
        _with(_("Too many requests were sent to Smartcar in a short time."), _LATER),
    )
    RESOURCE_NOT_FOUND = (
        "smartcar.resource_not_found",
        _(
            "Smartcar no longer has this vehicle or connection. If the problem persists, ask the "
            "driver to reconnect the vehicle."
        ),
    )
    SERVER = "smartcar.server", _with(_("Smartcar is having a problem right now."), _LATER)
    UNREADABLE_ANSWER = (
        "smartcar.unreadable_answer",
        _(
            "Smartcar sent an unreadable response, so the result of the request is unknown. Wait "
            "for the vehicle's next update."
        ),
    )
    UPSTREAM = (
        "smartcar.upstream",
        _with(_("The manufacturer's service is having a problem right now."), _LATER),
    )
    UPSTREAM_NO_RESPONSE = (
        "smartcar.upstream.no_response",
        _with(_("The manufacturer's service didn't respond."), _LATER),
    )
    UPSTREAM_RATE_LIMIT = (
        "smartcar.upstream.rate_limit",
        _with(
            _("The manufacturer received too many requests for this vehicle or account in a short time."),
            _LATER,
        ),
    )
    VALIDATION = "smartcar.validation", _with(_("Smartcar rejected the format of the request."), _LOG)
    VEHICLE_STATE = (
        "smartcar.vehicle_state",
        _("The vehicle rejected the command because of its current state. Check the vehicle and try again."),
    )
    UNKNOWN = (
        "smartcar.unknown",
        _with(_("Smartcar rejected the request for an unknown reason."), _LOG),
    )


def code_for(error: "SmartcarError") -> tuple[str, dict[str, Any]]:
    """Returns the code and parameters of our message for an error, by its type and code, its type, or its status."""
    for name in (f"{error.type}.{error.code}", error.type):
        if (code := f"smartcar.{name.lower()}") in ErrorMessage.values:
            return code, {}
    return (ErrorMessage.SERVER if error.status >= 500 else ErrorMessage.UNKNOWN).value, {}


def without_gaps(suggested: str) -> str:
    """Returns Smartcar's suggested message, or "" if it contains unfilled placeholders ("<app name>")."""
    return "" if _PLACEHOLDER.search(suggested) else suggested
