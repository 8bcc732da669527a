"""What to tell a person of an error, where Smartcar's own message for the owner is missing: what happened, why, and
what to do next. The types and codes: Smartcar documentation, "API Errors".
"""

import re

from django.utils.translation import gettext_noop as _

from core import stored_messages

_PLACEHOLDER = re.compile(r"<[^<>]*>")

_RECONNECT = " " + _("Have the driver connect the car again.")
_LATER = " " + _("Wait a few minutes and try again.")
_LOG = " " + _("The car is not at fault. Whoever runs this site should look at the site's log.")

_BY_CODE = {
    ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"): _(
        "The maker refused the request: something is to be settled in the driver's account. Have the "
        "driver sign in to the maker's app and finish what it asks for."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED"): (
        _("The maker no longer accepts the driver's sign-in, for example after a new password.") + _RECONNECT
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "NO_VEHICLES"): _(
        "The driver's account at the maker has no car any more. Have the driver add the car there, then "
        "connect again."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "PERMISSION"): (
        _("The driver's account at the maker may not do this with the car.") + _RECONNECT
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"): _(
        "The maker refused the request: the car's connected services have ended or were never started. "
        "Have the driver renew them in the maker's app."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VEHICLE_MISSING"): _(
        "The car is no longer in the driver's account at the maker. Have the driver add it there, then "
        "connect again."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED"): _(
        "The car takes no commands from us: it has no virtual key for Smartcar yet. Have the driver add "
        "it with the maker's app."
    ),
    ("VEHICLE_STATE", "ASLEEP"): _(
        "The car is asleep, and the request was not sent, to spare its battery. Try again when it is in use."
    ),
    ("VEHICLE_STATE", "DOOR_OPEN"): _(
        "The car could not be locked: a door is open. Close all doors and try again."
    ),
    ("VEHICLE_STATE", "HOOD_OPEN"): _("The car refused: its hood is open. Close it and try again."),
    ("VEHICLE_STATE", "TRUNK_OPEN"): _("The car refused: its trunk is open. Close it and try again."),
    ("VEHICLE_STATE", "IGNITION_ON"): _("The car refused: it is switched on. Switch it off and try again."),
    ("VEHICLE_STATE", "IN_MOTION"): _("The car refused: it is moving. Try again when it stands."),
    ("VEHICLE_STATE", "LOW_BATTERY"): _("The car refused: its battery is too low. Charge it and try again."),
    ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED"): _(
        "The car refused: it is not plugged in. Plug it in and try again."
    ),
    ("VEHICLE_STATE", "CHARGING_PLUG_CONNECTED"): _(
        "The car refused: it is plugged in. Unplug it and try again."
    ),
    ("VEHICLE_STATE", "CHARGING_IN_PROGRESS"): _("The car charges already. Nothing is left to do."),
    ("VEHICLE_STATE", "NOT_CHARGING"): _("The car does not charge. Nothing is left to stop."),
    ("VEHICLE_STATE", "FULLY_CHARGED"): _("The car is fully charged. Nothing is left to do."),
    ("VEHICLE_STATE", "CHARGE_FAULT"): _(
        "The car refused: its own charging schedule is in the way. Change that in the car or the maker's app."
    ),
    ("VEHICLE_STATE", "REMOTE_ACCESS_DISABLED"): _(
        "The car refused: remote access is switched off in it. Have the driver switch it on in the car's "
        "settings."
    ),
    ("VEHICLE_STATE", "UNREACHABLE"): _(
        "The car could not be reached, most likely for want of mobile coverage. Try again when it has moved."
    ),
    ("VEHICLE_STATE", "VEHICLE_OFFLINE_FOR_SERVICE"): _(
        "The car is in service mode and takes no requests. Try again when the service is over."
    ),
    ("VEHICLE_STATE", "DEVICE_PAIRING_REQUIRED"): _(
        "The car takes no commands from us: it wants a paired device. Have the driver finish the pairing "
        "in the maker's app."
    ),
    ("RATE_LIMIT", "VEHICLE"): (
        _("Too many requests for this car in a short time; Smartcar spares its battery.") + _LATER
    ),
    ("BILLING", "VEHICLE_REQUEST_LIMIT"): _(
        "This month's requests for the car are used up. It works again when the month turns, or with a "
        "larger plan."
    ),
    ("BILLING", "VEHICLE_LIMIT"): _(
        "The Smartcar plan has no room for another car. The car is not at fault. Whoever runs this site "
        "should enlarge the plan or remove a car."
    ),
    ("BILLING", "ACCOUNT_SUSPENDED"): _(
        "Smartcar has suspended our account over an unpaid bill. The car is not at fault. Whoever runs "
        "this site should settle it with Smartcar."
    ),
    ("NO_ANSWER", "TIMEOUT"): _(
        "Smartcar did not answer in time, so we cannot tell what became of the request. Wait for the "
        "car's next report."
    ),
    ("NOT_SENT", "UNSUPPORTED"): _(
        "Smartcar's older API (v2), which this car is connected with, has no such command, so nothing was "
        "sent. It works once the fleet has changed to v3."
    ),
    ("NOT_SENT", "NO_ROOM"): (
        _(
            "Smartcar lets us send only so many requests, and they are used up for the moment, so nothing was "
            "sent."
        )
        + _LATER
    ),
    ("NOT_SENT", "CAR_RESTS"): (
        _("Smartcar asked us to leave this car alone for a while, to spare its battery, so nothing was sent.")
        + _LATER
    ),
    ("NOT_SENT", "NO_ALLOWANCE"): _(
        "This month's requests for the car are used up, so it is no longer read by itself. That goes on "
        "when the month turns. Commands and a reading by hand still go."
    ),
    ("NOT_SENT", "HOST_DOWN"): _(
        "Smartcar has not answered several times in a row, so nothing was sent. Wait half a minute and "
        "try again."
    ),
    ("NOT_SENT", "CONNECT_FAILED"): _("Smartcar could not be reached, so nothing was sent.") + _LATER,
}

_BY_TYPE = {
    "AUTHENTICATION": _(
        "Smartcar did not accept our sign-in for this request. Try again; if that stays, whoever runs "
        "this site should check the Smartcar credentials in its settings."
    ),
    "invalid_client": _(
        "Smartcar does not accept our credentials. The car is not at fault. Whoever runs this site should "
        "check them in the settings."
    ),
    "unauthorized_client": _(
        "Smartcar does not allow our application to do this, for example with this make. The car is not "
        "at fault. Whoever runs this site should ask Smartcar."
    ),
    "invalid_grant": _("The driver's permission has ended, or the link was used before.") + _RECONNECT,
    "BILLING": _(
        "Our Smartcar plan does not cover this request. The car is not at fault. Whoever runs this site "
        "should look at the plan in Smartcar's dashboard."
    ),
    "COMPATIBILITY": _("This car cannot do that through Smartcar. Nothing can be done from here."),
    "CONNECTED_SERVICES_ACCOUNT": (
        _("The maker refused the request because of the driver's account there.") + _RECONNECT
    ),
    "GATEWAY": _("Smartcar has a problem at the moment.") + _LATER,
    "NO_ANSWER": _(
        "The connection to Smartcar broke, so we cannot tell what became of the request. Wait for the "
        "car's next report."
    ),
    "NOT_SENT": _("We could not make this request, so nothing was sent.") + _LOG,
    "PERMISSION": _("The driver did not allow this.") + _RECONNECT,
    "RATE_LIMIT": _("We have sent Smartcar too many requests in a short time.") + _LATER,
    "RESOURCE_NOT_FOUND": _(
        "Smartcar does not know this car or this connection any more. If that stays, have the driver "
        "connect the car again."
    ),
    "SERVER": _("Smartcar has a problem at the moment.") + _LATER,
    "UNREADABLE_ANSWER": _(
        "Smartcar sent an answer that we cannot read, so we cannot tell what became of the request. Wait "
        "for the car's next report."
    ),
    "UPSTREAM": _("The maker's service has a problem at the moment.") + _LATER,
    "VALIDATION": _("Smartcar did not accept the form of our request.") + _LOG,
    "VEHICLE_STATE": _("The car refused because of the state it is in. Look at the car and try again."),
}
_UNKNOWN = _("Smartcar refused the request and gave a reason that we do not know.") + _LOG


def user_message(*, type: str, code: str, status: int, suggested: str) -> str:  # noqa: A002
    """Smartcar's suggested message if it is complete, else our own words for the type and code.

    Ours are in the active language: English where a task keeps them.
    """
    if suggested and not _PLACEHOLDER.search(suggested):
        return suggested
    known = _BY_CODE.get((type, code)) or _BY_TYPE.get(type)
    if known is None:
        known = _BY_TYPE["SERVER"] if status >= 500 else _UNKNOWN
    return stored_messages.told(known)
