"""What to tell a person of an error, where Smartcar's own message for the owner is missing: what happened, why, and
what to do next. The types and codes: Smartcar documentation, "API Errors".
"""

import re

_PLACEHOLDER = re.compile(r"<[^<>]*>")

_RECONNECT = "Have the driver connect the car again."
_LATER = "Wait a few minutes and try again."
_OURS = "The car is not at fault. Whoever runs this site should"

_BY_CODE = {
    ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"): (
        "The maker refused the request: something is to be settled in the driver's account. Have the driver sign in "
        "to the maker's app and finish what it asks for."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED"): (
        f"The maker no longer accepts the driver's sign-in, for example after a new password. {_RECONNECT}"
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "NO_VEHICLES"): (
        "The driver's account at the maker has no car any more. Have the driver add the car there, then connect again."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "PERMISSION"): (
        f"The driver's account at the maker may not do this with the car. {_RECONNECT}"
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"): (
        "The maker refused the request: the car's connected services have ended or were never started. Have the "
        "driver renew them in the maker's app."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VEHICLE_MISSING"): (
        "The car is no longer in the driver's account at the maker. Have the driver add it there, then connect again."
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED"): (
        "The car takes no commands from us: it has no virtual key for Smartcar yet. Have the driver add it with the "
        "maker's app."
    ),
    ("VEHICLE_STATE", "ASLEEP"): (
        "The car is asleep, and the request was not sent, to spare its battery. Try again when it is in use."
    ),
    (
        "VEHICLE_STATE",
        "DOOR_OPEN",
    ): "The car could not be locked: a door is open. Close all doors and try again.",
    ("VEHICLE_STATE", "HOOD_OPEN"): "The car refused: its hood is open. Close it and try again.",
    ("VEHICLE_STATE", "TRUNK_OPEN"): "The car refused: its trunk is open. Close it and try again.",
    ("VEHICLE_STATE", "IGNITION_ON"): "The car refused: it is switched on. Switch it off and try again.",
    ("VEHICLE_STATE", "IN_MOTION"): "The car refused: it is moving. Try again when it stands.",
    ("VEHICLE_STATE", "LOW_BATTERY"): "The car refused: its battery is too low. Charge it and try again.",
    ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED"): (
        "The car refused: it is not plugged in. Plug it in and try again."
    ),
    (
        "VEHICLE_STATE",
        "CHARGING_PLUG_CONNECTED",
    ): "The car refused: it is plugged in. Unplug it and try again.",
    ("VEHICLE_STATE", "CHARGING_IN_PROGRESS"): "The car charges already. Nothing is left to do.",
    ("VEHICLE_STATE", "NOT_CHARGING"): "The car does not charge. Nothing is left to stop.",
    ("VEHICLE_STATE", "FULLY_CHARGED"): "The car is fully charged. Nothing is left to do.",
    ("VEHICLE_STATE", "CHARGE_FAULT"): (
        "The car refused: its own charging schedule is in the way. Change that in the car or the maker's app."
    ),
    ("VEHICLE_STATE", "REMOTE_ACCESS_DISABLED"): (
        "The car refused: remote access is switched off in it. Have the driver switch it on in the car's settings."
    ),
    ("VEHICLE_STATE", "UNREACHABLE"): (
        "The car could not be reached, most likely for want of mobile coverage. Try again when it has moved."
    ),
    ("VEHICLE_STATE", "VEHICLE_OFFLINE_FOR_SERVICE"): (
        "The car is in service mode and takes no requests. Try again when the service is over."
    ),
    ("VEHICLE_STATE", "DEVICE_PAIRING_REQUIRED"): (
        "The car takes no commands from us: it wants a paired device. Have the driver finish the pairing in the "
        "maker's app."
    ),
    ("RATE_LIMIT", "VEHICLE"): (
        f"Too many requests for this car in a short time; Smartcar spares its battery. {_LATER}"
    ),
    ("BILLING", "VEHICLE_REQUEST_LIMIT"): (
        "This month's requests for the car are used up. It works again when the month turns, or with a larger plan."
    ),
    ("BILLING", "VEHICLE_LIMIT"): (
        f"The Smartcar plan has no room for another car. {_OURS} enlarge the plan or remove a car."
    ),
    ("BILLING", "ACCOUNT_SUSPENDED"): (
        f"Smartcar has suspended our account over an unpaid bill. {_OURS} settle it with Smartcar."
    ),
    ("NO_ANSWER", "TIMEOUT"): (
        "Smartcar did not answer in time, so we cannot tell what became of the request. Wait for the car's "
        "next report."
    ),
    ("NOT_SENT", "UNSUPPORTED"): (
        "Smartcar's older API (v2), which this car is connected with, has no such command, so nothing was sent. "
        "It works once the fleet has changed to v3."
    ),
    ("NOT_SENT", "NO_ROOM"): (
        "Smartcar lets us send only so many requests, and they are used up for the moment, so nothing was sent. "
        f"{_LATER}"
    ),
    ("NOT_SENT", "CAR_RESTS"): (
        "Smartcar asked us to leave this car alone for a while, to spare its battery, so nothing was sent. "
        f"{_LATER}"
    ),
    ("NOT_SENT", "NO_ALLOWANCE"): (
        "This month's requests for the car are used up, so it is no longer read by itself. That goes on when the "
        "month turns. Commands and a reading by hand still go."
    ),
    ("NOT_SENT", "HOST_DOWN"): (
        "Smartcar has not answered several times in a row, so nothing was sent. Wait half a minute and try again."
    ),
    ("NOT_SENT", "CONNECT_FAILED"): f"Smartcar could not be reached, so nothing was sent. {_LATER}",
}

_BY_TYPE = {
    "AUTHENTICATION": (
        "Smartcar did not accept our sign-in for this request. Try again; if that stays, whoever runs this site "
        "should check the Smartcar credentials in its settings."
    ),
    "invalid_client": f"Smartcar does not accept our credentials. {_OURS} check them in the settings.",
    "unauthorized_client": (
        f"Smartcar does not allow our application to do this, for example with this make. {_OURS} ask Smartcar."
    ),
    "invalid_grant": f"The driver's permission has ended, or the link was used before. {_RECONNECT}",
    "BILLING": f"Our Smartcar plan does not cover this request. {_OURS} look at the plan in Smartcar's dashboard.",
    "COMPATIBILITY": "This car cannot do that through Smartcar. Nothing can be done from here.",
    "CONNECTED_SERVICES_ACCOUNT": (
        f"The maker refused the request because of the driver's account there. {_RECONNECT}"
    ),
    "GATEWAY": f"Smartcar has a problem at the moment. {_LATER}",
    "NO_ANSWER": (
        "The connection to Smartcar broke, so we cannot tell what became of the request. Wait for the car's next "
        "report."
    ),
    "NOT_SENT": f"We could not make this request, so nothing was sent. {_OURS} look at the site's log.",
    "PERMISSION": f"The driver did not allow this. {_RECONNECT}",
    "RATE_LIMIT": f"We have sent Smartcar too many requests in a short time. {_LATER}",
    "RESOURCE_NOT_FOUND": (
        "Smartcar does not know this car or this connection any more. If that stays, have the driver connect "
        "the car again."
    ),
    "SERVER": f"Smartcar has a problem at the moment. {_LATER}",
    "UNREADABLE_ANSWER": (
        "Smartcar sent an answer that we cannot read, so we cannot tell what became of the request. Wait for the "
        "car's next report."
    ),
    "UPSTREAM": f"The maker's service has a problem at the moment. {_LATER}",
    "VALIDATION": f"Smartcar did not accept the form of our request. {_OURS} look at the site's log.",
    "VEHICLE_STATE": "The car refused because of the state it is in. Look at the car and try again.",
}


def for_people(*, type: str, code: str, status: int, suggested: str) -> str:  # noqa: A002
    """Smartcar's suggested message if it is complete, else our own words for the type and code."""
    if suggested and not _PLACEHOLDER.search(suggested):
        return suggested
    known = _BY_CODE.get((type, code)) or _BY_TYPE.get(type)
    if known:
        return known
    if status >= 500:
        return _BY_TYPE["SERVER"]
    return (
        f"Smartcar refused the request and gave a reason that we do not know. {_OURS} look at the site's log."
    )
