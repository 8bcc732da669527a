"""The ways in which an authorization in Smartcar Connect can fail, with texts for the user.

Source: Smartcar documentation, "Handle the Response" (error redirects). The list there is not exhaustive.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop as _

from connect.messages import AuthorizationOutcome
from core.message_codes import Message, Params
from smartcar_api.redaction import one_line, scrub
from vehicles.makes import make_name

if TYPE_CHECKING:
    from connect.models import AuthorizationRequest, Invitation


@dataclass(frozen=True, slots=True)
class ConnectError:
    """An authorization that connected nothing: what happened, and what to do next.

    `for_driver` is for an invited driver, who knows neither the fleet's pages nor the site's administrator. `vehicle`
    contains labels and values of the vehicle, which are shown on the page and must not be logged. The texts are English
    and are translated by the page. `smartcar_message` is what Smartcar told the user, without secrets.
    """

    outcome: AuthorizationOutcome
    text: str
    driver_text: str = ""
    vehicle: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    smartcar_message: str = field(default="", repr=False)

    @property
    def message(self) -> Message:
        """The outcome as the authorization stores it, with what Smartcar told the user."""
        if self.smartcar_message:
            return self.outcome.message(smartcar_message=self.smartcar_message)
        return self.outcome.message()

    @property
    def title(self) -> str:
        """What happened, in the active language."""
        return str(self.outcome.label)

    @property
    def for_driver(self) -> str:
        return self.driver_text or self.text


class AuthorizationFailedError(Exception):
    """The authorization ended without a connection. Nothing was changed.

    `authorization` and `invitation` are set if they are known.
    """

    def __init__(self, error: ConnectError, invitation: "Invitation | None" = None) -> None:
        super().__init__(error.outcome.value)
        self.error = error
        self.invitation = invitation
        self.authorization: AuthorizationRequest | None = None


UNKNOWN_STATE = ConnectError(
    AuthorizationOutcome.UNKNOWN_STATE,
    _(
        "This sign-in wasn't started in this browser, was already used, or has expired. "
        "Nothing was changed. Start again from your fleet with “Connect a vehicle”."
    ),
    _(
        "This sign-in wasn't started in this browser, was already used, or has expired. "
        "Nothing was changed. Open your invitation link again and start from there."
    ),
)
UNCONFIRMED_USER = ConnectError(
    AuthorizationOutcome.UNCONFIRMED,
    _(
        "Smartcar's response names a user who didn't just connect to this fleet. Nothing was "
        "changed. Start again from your fleet with “Connect a vehicle”."
    ),
    _(
        "Smartcar's response names a user who didn't just share a car through this "
        "invitation. Nothing was changed. Start again from your invitation."
    ),
)
UNCONFIRMED_SIGN_IN = ConnectError(
    AuthorizationOutcome.UNCONFIRMED,
    _(
        "Smartcar doesn't confirm that the driver of this vehicle just signed in. Nothing "
        "was changed. Go to the vehicle's connection page and try again with the account the "
        "vehicle was connected with."
    ),
    _(
        "Smartcar doesn't confirm that you just signed in for this car. Nothing was changed. "
        "Open the link you received and try again with the account the car was connected "
        "with."
    ),
)
INCOMPLETE = ConnectError(
    AuthorizationOutcome.INCOMPLETE,
    _("The response lacks details needed to connect a car. Nothing was changed. Start again."),
)
NOTHING_SHARED = ConnectError(
    AuthorizationOutcome.NOTHING_SHARED,
    _("No cars were found for this sign-in. Start again and choose at least one car."),
)
INVITATION_OVER = ConnectError(
    AuthorizationOutcome.INVITATION_CLOSED,
    _(
        "The invitation was used, was revoked or has expired, so no car was connected. Ask "
        "for a new invitation."
    ),
)
GRANT_REFUSED = ConnectError(
    AuthorizationOutcome.INVITATION_CLOSED,
    _(
        "The invitation was used, was revoked or has expired, so no car was connected. We're "
        "revoking the access that you just granted at Smartcar. Ask for a new invitation."
    ),
)
CREDENTIALS = ConnectError(
    AuthorizationOutcome.CREDENTIALS_REJECTED,
    _(
        "The vehicle wasn't connected, and it's not the driver's fault. Ask this site's "
        "administrator to check the Smartcar credentials in the settings, then start again."
    ),
    _(
        "Your car wasn't connected, and it's not your fault: the fleet's connection to "
        "Smartcar isn't set up correctly. Tell the person who invited you, and try again "
        "later with the same invitation."
    ),
)
UNREACHABLE = ConnectError(
    AuthorizationOutcome.UNREACHABLE,
    _("The car wasn't connected. Wait a minute and start again."),
)

EXPIRED = ConnectError(
    AuthorizationOutcome.EXPIRED,
    _("You took more than an hour to return from Smartcar. Nothing was changed. Start again."),
)
IN_PROGRESS = ConnectError(
    AuthorizationOutcome.IN_PROGRESS,
    _("We're fetching the vehicle from Smartcar, which can take a minute. Then check again."),
    _("We're fetching your car from Smartcar, which can take a minute. Then check again."),
)
INTERRUPTED = ConnectError(
    AuthorizationOutcome.INTERRUPTED,
    _("We couldn't finish connecting the vehicle because of an error on our side. Start again."),
    _("We couldn't finish connecting your car because of an error on our side. Start again."),
)
OTHER_BROWSER = ConnectError(
    AuthorizationOutcome.OTHER_BROWSER,
    _(
        "For your security, it can only be finished in the browser where you started. Nothing was "
        "changed. Go back to that browser, or start again here from your fleet."
    ),
    _(
        "For your security, it can only be finished in the browser where you started. Nothing was "
        "changed. Go back to that browser, or open your invitation link here and start again."
    ),
)

_BY_ERROR = {
    "access_denied": ConnectError(
        AuthorizationOutcome.ACCESS_DENIED,
        _("The account holder chose not to share the vehicle. Start again if that was a mistake."),
        _("You chose not to share your car, and nothing was shared. Start again if that was a mistake."),
    ),
    "invalid_subscription": ConnectError(
        AuthorizationOutcome.INVALID_SUBSCRIPTION,
        _(
            "The manufacturer's subscription for this car has ended or was never started. Renew "
            "the subscription in the manufacturer's app, then start again."
        ),
    ),
    "no_vehicles": ConnectError(
        AuthorizationOutcome.NO_VEHICLES,
        _(
            "This manufacturer account has no car that can be connected. Add the car in the "
            "manufacturer's app, or sign in with the account that has it."
        ),
    ),
    "vehicle_incompatible": ConnectError(
        AuthorizationOutcome.VEHICLE_INCOMPATIBLE,
        _("Smartcar doesn't support this vehicle, or not with the permissions this fleet requests."),
        _(
            "Smartcar doesn't support this car, or not with the data the fleet asks for. Tell "
            "the person who invited you. If you have another car, start again with that one."
        ),
    ),
    "configuration_error": ConnectError(
        AuthorizationOutcome.CONFIGURATION_ERROR,
        _(
            "The vehicle wasn't connected, and it's not the driver's fault. Ask this site's "
            "administrator to compare its redirect URI and permissions with the Smartcar "
            "dashboard."
        ),
        _(
            "Your car wasn't connected, and it's not your fault: the fleet's connection to "
            "Smartcar isn't set up correctly. Tell the person who invited you, and try again "
            "later with the same invitation."
        ),
    ),
    "server_error": ConnectError(
        AuthorizationOutcome.SERVER_ERROR, _("The car wasn't connected. Wait a few minutes and start again.")
    ),
    "oem_cancelled_login": ConnectError(
        AuthorizationOutcome.SIGN_IN_CANCELED,
        _("Start again when you have the sign-in details for your manufacturer account."),
    ),
    "user_manually_returned_to_application": ConnectError(
        AuthorizationOutcome.RETURNED_EARLY,
        _("You returned before finishing. Start again when you're ready."),
    ),
    "battery_capacity_no_selection": ConnectError(
        AuthorizationOutcome.NO_BATTERY_SIZE,
        _("Start again and choose the size listed in your car's documents."),
    ),
}


_UNKNOWN_ERROR = ConnectError(
    AuthorizationOutcome.UNKNOWN_ERROR,
    _(
        "Smartcar ended the connection for an unknown reason. Start again. If the problem "
        "persists, contact this site's administrator and mention the time."
    ),
    _(
        "Smartcar ended the connection for an unknown reason. Start again. If the problem "
        "persists, contact the person who invited you and mention the time."
    ),
)
_OURS = (
    UNKNOWN_STATE,
    UNCONFIRMED_USER,
    INCOMPLETE,
    NOTHING_SHARED,
    INVITATION_OVER,
    CREDENTIALS,
    UNREACHABLE,
)
_BY_OUTCOME = {each.outcome.value: each for each in (*_BY_ERROR.values(), _UNKNOWN_ERROR, *_OURS)}
_MESSAGE_LENGTH = 300


def error_for(*, error: str, params: Mapping[str, str] | None = None) -> ConnectError:
    """Returns the error for an error redirect with these `params`.

    For an incompatible vehicle, the parameters contain its make, model, year and VIN ("Vehicle Incompatible"); for an
    error that the user saw in Connect, its message ("Configuration").
    """
    params = params or {}
    known = _BY_ERROR.get(error)
    if known is None:
        return replace(
            _UNKNOWN_ERROR, smartcar_message=_message(params, "error_message", "error_description")
        )
    if error == "vehicle_incompatible":
        return replace(known, vehicle=_vehicle_details(params))
    if error in ("configuration_error", "server_error"):
        return replace(known, smartcar_message=_message(params, "error_message"))
    return known


def stored_error(
    *, code: str, stored: Params, sign_in: bool, params: Mapping[str, str] | None = None
) -> ConnectError | None:
    """Returns the error that an authorization has stored as its outcome; None if it isn't an error.

    `params` are those of the redirect, which a reload repeats: the details of a vehicle are not stored.
    """
    error = UNCONFIRMED_SIGN_IN if sign_in and code == UNCONFIRMED_SIGN_IN.outcome else _BY_OUTCOME.get(code)
    if error is None:
        return None
    vehicle = (
        _vehicle_details(params or {}) if error.outcome == AuthorizationOutcome.VEHICLE_INCOMPATIBLE else ()
    )
    return replace(error, vehicle=vehicle, smartcar_message=str(stored.get("smartcar_message", "")))


def _message(params: Mapping[str, str], *names: str) -> str:
    """Returns the first of these parameters that isn't empty, without anything that looks like a secret or a VIN."""
    text = next((params[name] for name in names if params.get(name)), "")
    return one_line(scrub(text[: 4 * _MESSAGE_LENGTH]), limit=_MESSAGE_LENGTH)


def _vehicle_details(params: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Returns the vehicle details in the redirect. Anyone can edit a URL, so only well-formed values are shown."""
    vin, year = params.get("vin", "").upper(), params.get("year", "")
    details = (
        (_("Make"), make_name(params.get("make", "")[:40])),
        (_("Model"), params.get("model", "")[:60]),
        (_("Year"), year if re.fullmatch(r"(19|20)[0-9]{2}", year) else ""),
        (_("VIN"), vin if re.fullmatch(r"[A-Z0-9]{17}", vin) else ""),
    )
    return tuple((label, value) for label, value in details if value)
