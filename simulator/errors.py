"""Smartcar's error bodies for both API versions, with the texts of the documentation's error pages."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from simulator.http_utils import json_response, request_id

DOCS = "https://smartcar.com/docs/errors/api-errors"
VIRTUAL_KEY_URL = "https://www.tesla.com/_ak/smartcar.com"

STATUS = {
    "AUTHENTICATION": 401,
    "BILLING": 430,
    "COMPATIBILITY": 501,
    "CONNECTED_SERVICES_ACCOUNT": 400,
    "PERMISSION": 403,
    "RATE_LIMIT": 429,
    "RESOURCE_NOT_FOUND": 404,
    "SERVER": 500,
    "UPSTREAM": 502,
    "VALIDATION": 400,
    "VEHICLE_STATE": 409,
}

PAGES = {
    "AUTHENTICATION": "authentication-errors",
    "BILLING": "billing-errors",
    "COMPATIBILITY": "compatibility-errors",
    "CONNECTED_SERVICES_ACCOUNT": "connected-services-account-errors",
    "PERMISSION": "permission-errors",
    "RATE_LIMIT": "rate-limit-errors",
    "RESOURCE_NOT_FOUND": "resource-not-found-errors",
    "SERVER": "server-errors",
    "UPSTREAM": "upstream-errors",
    "VALIDATION": "validation-errors",
    "VEHICLE_STATE": "vehicle-state-errors",
}

_LATER = (
    "Your car is temporarily unable to connect to <app name>. Please be patient while we’re working to resolve this "
    "issue."
)
_LOST = (
    "Your car got disconnected from <app name>. Please use this link to re-connect your car: <link to Smartcar "
    "Connect>."
)
_SUBSCRIBE = (
    "Your car’s connected services subscription has either expired or it doesn’t support the necessary features to "
    "connect to <app name>. Please activate your subscription or contact us to upgrade your subscription."
)


@dataclass(frozen=True, slots=True)
class ErrorText:
    """Smartcar's text for one error: for developers, how to resolve the error, and for the driver."""

    description: str
    resolution: str | None = None
    message: str | None = None


ERROR_TEXTS: dict[tuple[str, str | None], ErrorText] = {
    ("AUTHENTICATION", None): ErrorText(
        "The authorization header is missing or malformed, or it contains invalid or expired authentication "
        "credentials. Please check for missing parameters, spelling and casing mistakes, and other syntax issues."
    ),
    ("BILLING", "VEHICLE_LIMIT"): ErrorText(
        "You’ve reached the limit of vehicles in your plan. Please upgrade to unlock access to more vehicles.",
        "CONTACT_SUPPORT",
    ),
    ("BILLING", "INVALID_PLAN"): ErrorText(
        "The feature you are trying to use is not included in your current pricing plan. Please visit our pricing "
        "page to learn more about our plans and features.",
        "CONTACT_SUPPORT",
    ),
    ("BILLING", "VEHICLE_REQUEST_LIMIT"): ErrorText(
        "You have exceeded the number of API requests that are allowed for this vehicle in the current billing "
        "period. Please log into the Smartcar dashboard and visit the Billing tab to learn more.",
        "CONTACT_SUPPORT",
    ),
    ("BILLING", "ACCOUNT_SUSPENDED"): ErrorText(
        "Your Smartcar account is past due and has been suspended. Please reach out to our finance team to resolve "
        "this issue.",
        "FINANCE",
    ),
    ("COMPATIBILITY", "MAKE_NOT_COMPATIBLE"): ErrorText(
        "Smartcar is not yet compatible with this vehicle’s make in the country you specified.",
        message="<app name> is not yet able to connect to your car brand.",
    ),
    ("COMPATIBILITY", "PLATFORM_NOT_CAPABLE"): ErrorText(
        "You're connected to the vehicle using an OEM integration that does not support this endpoint.",
        "REAUTHENTICATE",
    ),
    ("COMPATIBILITY", "SMARTCAR_NOT_CAPABLE"): ErrorText(
        "Smartcar does not yet support this feature for this vehicle."
    ),
    ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE"): ErrorText(
        "The vehicle is incapable of performing your request.",
        message="Your car is unable to perform this request.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"): ErrorText(
        "Action needed in the user’s connected services account. Please prompt the user to log into their connected "
        "services account and complete any outstanding tasks.",
        message="Action required in your connected services account. Please log into your connected services app or "
        "web portal and complete any outstanding tasks (e.g. finish activating your account or accept the Terms of "
        "Service).",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED"): ErrorText(
        "Smartcar was unable to authenticate with the user’s connected services account. Please prompt the user to "
        "re-authenticate using Smartcar Connect.",
        "REAUTHENTICATE",
        _LOST,
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "NO_VEHICLES"): ErrorText(
        "No vehicles found in the user’s connected services account. Please prompt the user to add their vehicle to "
        "their connected services account and re-authenticate using Smartcar Connect.",
        message=_LOST,
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "PERMISSION"): ErrorText(
        "The vehicle owner has revoked Smartcar’s access to their OEM account.", "REAUTHENTICATE"
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"): ErrorText(
        "The vehicle’s connected services subscription is inactive or does not support the requested API endpoint.",
        message=_SUBSCRIBE,
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VEHICLE_MISSING"): ErrorText(
        "This vehicle is no longer associated with the user’s connected services account. Please prompt the user to "
        "re-add the vehicle to their account.",
        message=_SUBSCRIBE,
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED"): ErrorText(
        "The vehicle owner needs to grant additional access to Smartcar in order to perform this request.",
        "ACTION_REQUIRED",
        "In order to perform this request you’ll need to add a Third-Party Virtual key to your vehicle. Please open "
        "this link on the phone with your Tesla App to complete this step.",
    ),
    ("PERMISSION", None): ErrorText(
        "Your application has insufficient permissions to access the requested resource. Please prompt the user to "
        "re-authenticate using Smartcar Connect.",
        "REAUTHENTICATE",
    ),
    ("RATE_LIMIT", "SMARTCAR_API"): ErrorText(
        "Your application has exceeded its rate limit. Please retry your request in a few minutes.",
        "RETRY_LATER",
        _LATER,
    ),
    ("RATE_LIMIT", "VEHICLE"): ErrorText(
        "You have reached the throttling rate limit for this vehicle. Please see the retry-after header for when to "
        "retry the request.",
        "RETRY_LATER",
        _LATER,
    ),
    ("RESOURCE_NOT_FOUND", "PATH"): ErrorText(
        "The requested resource does not exist. Please check the URL and try again.", message=_LATER
    ),
    ("RESOURCE_NOT_FOUND", "VERSION"): ErrorText(
        "The requested resource does not exist. Please check your specified version number and try again.",
        message=_LATER,
    ),
    ("SERVER", "INTERNAL"): ErrorText(
        "An internal Smartcar error has occurred. Our team has been notified and is working to resolve this issue.",
        "RETRY_LATER",
        _LATER,
    ),
    ("SERVER", "RECORD_NOT_FOUND"): ErrorText(
        "Smartcar was unable to locate a battery capacity record for this vehicle.", "CONTACT_SUPPORT", _LATER
    ),
    ("SERVER", "MULTIPLE_RECORDS_FOUND"): ErrorText(
        "Smartcar found multiple battery capacity records for this vehicle.", "CONTACT_SUPPORT", _LATER
    ),
    ("UPSTREAM", "INVALID_DATA"): ErrorText(
        "Smartcar received invalid data from an upstream source. Please retry your request at a later time.",
        "RETRY_LATER",
        _LATER,
    ),
    ("UPSTREAM", "KNOWN_ISSUE"): ErrorText(
        "Smartcar received an error from an upstream source. Please retry your request at a later time.",
        "RETRY_LATER",
        _LATER,
    ),
    ("UPSTREAM", "NO_RESPONSE"): ErrorText(
        "One of Smartcar’s upstream sources failed to respond. Please retry your request at a later time.",
        "RETRY_LATER",
        _LATER,
    ),
    ("UPSTREAM", "RATE_LIMIT"): ErrorText(
        "Your application’s requests have exceeded this vehicle’s rate limit.", "RETRY_LATER", _LATER
    ),
    ("UPSTREAM", "UNKNOWN_ISSUE"): ErrorText(
        "Smartcar received an unknown error from an upstream source. Please retry your request at a later time and "
        "contact us if the issue persists.",
        "RETRY_LATER",
        _LATER,
    ),
    ("VALIDATION", None): ErrorText(
        "Request invalid or malformed. Please check for missing parameters, spelling and casing mistakes, and other "
        "syntax issues.",
        message=_LATER,
    ),
    ("VALIDATION", "PARAMETER"): ErrorText(
        "Your request is formatted correctly, but one or more of the provided parameters is incorrect.",
        message=_LATER,
    ),
    ("VEHICLE_STATE", "ASLEEP"): ErrorText(
        "The vehicle is in a sleep state and temporarily unable to perform your request.",
        message="Your vehicle is in a sleep state. This request was not sent to preserve battery life. ",
    ),
    ("VEHICLE_STATE", "CHARGE_FAULT"): ErrorText(
        "The vehicle is connected to an EV charger but cannot perform the request because 1) the charger is not "
        "providing any current, or 2) there is a conflict with another charging schedule.",
        message="Your vehicle is unable to start or stop charging because of a conflict with the vehicle's charging "
        "schedule.",
    ),
    ("VEHICLE_STATE", "CHARGING_IN_PROGRESS"): ErrorText(
        "The vehicle is currently charging and unable to perform your request.",
        message="Your vehicle is already charging.",
    ),
    ("VEHICLE_STATE", "CHARGING_PLUG_CONNECTED"): ErrorText(
        "The vehicle is connected to an EV charger and unable to perform your request.",
        message="We’re unable to issue the command because the vehicle is currently plugged in.",
    ),
    ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED"): ErrorText(
        "The vehicle is not connected to an EV charger and unable to perform your request.",
        message="Your vehicle is not plugged in.",
    ),
    ("VEHICLE_STATE", "DEVICE_PAIRING_REQUIRED"): ErrorText(
        "A device has to be paired with the vehicle before it takes commands.", "REAUTHENTICATE"
    ),
    ("VEHICLE_STATE", "DOOR_OPEN"): ErrorText(
        "The vehicle could not perform your request because one or more of its doors are open.",
        message="Your vehicle was unable to lock. Please ensure that all doors and the trunk are fully closed.",
    ),
    ("VEHICLE_STATE", "FULLY_CHARGED"): ErrorText(
        "The vehicle is unable to perform your request because its EV battery is fully charged.",
        message="Your vehicle is already fully charged.",
    ),
    ("VEHICLE_STATE", "HOOD_OPEN"): ErrorText(
        "The vehicle is unable to perform your request because its hood is open.",
        message="Your vehicle was unable to lock. Please ensure that the vehicle's hood is fully closed.",
    ),
    ("VEHICLE_STATE", "IGNITION_ON"): ErrorText(
        "The vehicle was unable to perform your request because its engine is running.",
        message="Your vehicle is currently running.",
    ),
    ("VEHICLE_STATE", "IN_MOTION"): ErrorText(
        "The vehicle is currently in motion and unable to perform your request.",
        message="Your vehicle is unable to perform the request while in motion.",
    ),
    ("VEHICLE_STATE", "LOW_BATTERY"): ErrorText(
        "The vehicle was unable to perform your request because the 12v or high voltage battery is too low.",
        "RETRY_LATER",
        "Your vehicle battery is too low to perform this task.",
    ),
    ("VEHICLE_STATE", "NOT_CHARGING"): ErrorText(
        "The vehicle is unable to perform your request because it is not currently charging.",
        message="Please ensure that you have plugged an EV charger into your car’s charge port and the vehicle is "
        "charging.",
    ),
    ("VEHICLE_STATE", "REMOTE_ACCESS_DISABLED"): ErrorText(
        "The vehicle is unable to perform your request because the user has disabled remote access for connected "
        "services.",
        message="Your vehicle is unable to perform the request as remote access is disabled or unavailable.",
    ),
    ("VEHICLE_STATE", "TRUNK_OPEN"): ErrorText(
        "The vehicle is unable to perform your request because its trunk is open.",
        message="Your vehicle was unable to open the trunk because it is already open.",
    ),
    ("VEHICLE_STATE", "UNKNOWN"): ErrorText(
        "The vehicle was unable to perform your request due to an unknown issue.",
        "RETRY_LATER",
        "Your vehicle is temporarily unable to connect due to an unknown issue. Please be patient while we’re "
        "working to resolve this issue.",
    ),
    ("VEHICLE_STATE", "UNREACHABLE"): ErrorText(
        "The vehicle was unable to perform your request because it is currently unreachable.",
        message="Your vehicle is currently unreachable. Ensure the vehicle has adequate mobile coverage.",
    ),
    ("VEHICLE_STATE", "VEHICLE_OFFLINE_FOR_SERVICE"): ErrorText(
        "The vehicle was unable to perform your request because it is currently in service mode.",
        message="Your vehicle is in service mode and temporarily unable to perform this task.",
    ),
}

V3_TITLES = {
    ("AUTHENTICATION", "UNAUTHORIZED"): "The access token is missing, malformed, unknown or expired.",
    ("AUTHENTICATION", "ACCESS_DENIED"): "The credentials do not give access to this resource.",
    ("VALIDATION", "BAD_REQUEST"): "The request is not valid.",
    ("VALIDATION", "MISSING_PARAMETER"): "A required parameter is missing.",
    ("VALIDATION", "INVALID_INPUT_FORMAT"): "A parameter has the wrong form.",
    ("RESOURCE_NOT_FOUND", "INVALID_PATH"): "The requested path does not exist.",
    ("RESOURCE_NOT_FOUND", "SIGNAL_NOT_FOUND"): "No data has been ingested for this signal.",
    ("RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND"): "No such vehicle is connected to this application.",
    ("RESOURCE_NOT_FOUND", "NOT_FOUND"): "The requested resource does not exist.",
    ("CONFLICT", "ALREADY_SUBSCRIBED"): "The vehicle is already subscribed to this webhook.",
}


class ApiError(Exception):
    """An error in Smartcar's terms. Each host writes it in the form of its API version."""

    def __init__(
        self,
        kind: str,
        code: str | None = None,
        *,
        status: int | None = None,
        detail: str = "",
        url: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{kind}:{code}")
        self.kind = kind
        self.code = code
        self.status = status or STATUS.get(kind, 400)
        self.detail = detail
        self.url = url
        self.retry_after = retry_after

    @property
    def text(self) -> ErrorText:
        """The documentation's text, or the v3 title for codes that only v3 has."""
        known = ERROR_TEXTS.get((self.kind, self.code))
        return known or ErrorText(
            V3_TITLES.get((self.kind, self.code or ""), "The request could not be performed.")
        )


def doc_url(kind: str, code: str | None, *, version: str = "") -> str:
    """Return the address of the documentation page about one error."""
    page = PAGES.get(kind, "overview")
    if kind == "RESOURCE_NOT_FOUND" and not version:
        page = (
            "resource-errors"  # So in the documented v2 bodies, although the page itself has the longer name.
        )
    anchor = (code or "null").lower().replace("_", "-")
    return f"{DOCS}/{version}{page}#{anchor}" if kind != "AUTHENTICATION" else f"{DOCS}/{version}{page}"


def resolution(error: ApiError) -> dict[str, Any]:
    """Return the ``resolution`` object: a type that may be null, and an address if there is one."""
    body: dict[str, Any] = {"type": error.text.resolution}
    url = VIRTUAL_KEY_URL if error.code == "VIRTUAL_KEY_REQUIRED" else error.url
    if url and error.text.resolution:
        body["url"] = url
    return body


def v2_body(error: ApiError, *, request: str) -> dict[str, Any]:
    """Return the flat v2 error object ("Errors Overview" in the API reference)."""
    body: dict[str, Any] = {
        "type": error.kind,
        "code": error.code,
        "description": error.detail or error.text.description,
        "docURL": doc_url(error.kind, error.code),
        "statusCode": error.status,
        "requestId": request,
        "resolution": resolution(error),
    }
    if error.text.message:
        body["suggestedUserMessage"] = error.text.message
    return body


def v3_body(error: ApiError, *, bare: bool = False) -> dict[str, Any]:
    """Return the v3 error document: a list, with the status as a string ("Remove user", errors).

    ``bare`` makes the resolution a plain string, as captured once.
    """
    title = V3_TITLES.get((error.kind, error.code or ""), error.text.description)
    entry: dict[str, Any] = {
        "status": str(error.status),
        "type": error.kind,
        "code": error.code,
        "title": title,
        "detail": error.detail or title,
        "links": {"about": doc_url(error.kind, error.code, version="v3/").partition("#")[0]},
        "resolution": error.text.resolution if bare else resolution(error),
        "suggestedUserMessage": error.text.message or "",
        "meta": {},
    }
    return {"errors": [entry]}


def v2_response(error: ApiError) -> Response:
    """Return the response of a v2 host to ``error``."""
    request = request_id()
    headers = _headers(error, request)
    if error.code == "SMARTCAR_API":
        headers.pop("Retry-After", None)  # Documented for RATE_LIMIT:VEHICLE only.
    return json_response(v2_body(error, request=request), status=error.status, headers=headers)


def v3_response(error: ApiError, *, bare: bool = False) -> Response:
    """Return the response of a v3 host to ``error``. ``bare`` is explained in ``v3_body``."""
    return json_response(
        v3_body(error, bare=bare), status=error.status, headers=_headers(error, request_id())
    )


def _headers(error: ApiError, request: str) -> dict[str, str]:
    headers = {"SC-Request-Id": request}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return headers
