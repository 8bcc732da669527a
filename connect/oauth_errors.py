"""What a trip to Smartcar Connect can end in, in words for the person who made it.

Source: Smartcar documentation, "Handle the Response" (error redirects). The list there is open.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop as _

from connect.messages import AuthorizationOutcome
from vehicles.makes import make_name

if TYPE_CHECKING:
    from connect.models import AuthorizationRequest, Invitation


@dataclass(frozen=True, slots=True)
class ConnectError:
    """An authorization that connected nothing: what happened, and what to do next.

    `for_driver` is for an invited driver, who knows neither the fleet's pages nor who runs the site. `car` holds
    labels and values of the vehicle: for the person on the page only, not for logs. The texts are in English here and
    are translated by the page.
    """

    outcome: AuthorizationOutcome
    text: str
    driver_text: str = ""
    car: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def title(self) -> str:
        """What happened, in the active language."""
        return str(self.outcome.label)

    @property
    def for_driver(self) -> str:
        return self.driver_text or self.text


class ConnectionRefusedByUsError(Exception):
    """The trip ended without a connection. Nothing was changed.

    `trip` is the one that ended, and `invitation` the one that it was made by, where they are known.
    """

    def __init__(self, trouble: ConnectError, invitation: "Invitation | None" = None) -> None:
        super().__init__(trouble.outcome.value)
        self.trouble = trouble
        self.invitation = invitation
        self.trip: AuthorizationRequest | None = None


UNKNOWN_STATE = ConnectError(
    AuthorizationOutcome.UNKNOWN_STATE,
    _(
        "We did not send anyone to Smartcar with it from this browser, it was used before, or it is too old. "
        "Nothing was changed. Start again from your fleet with “Connect a vehicle”."
    ),
    _(
        "We did not send anyone to Smartcar with it from this browser, it was used before, or it is too old. "
        "Nothing was changed. Open the link of your invitation again and start from there."
    ),
)
UNCONFIRMED_USER = ConnectError(
    AuthorizationOutcome.UNCONFIRMED,
    _(
        "The address you came back with names a Smartcar user that did not just connect to this fleet. "
        "Nothing was changed. Start again from your fleet with “Connect a vehicle”."
    ),
    _(
        "The address you came back with names somebody who did not just share a car by this invitation. "
        "Nothing was changed. Start again from your invitation."
    ),
)
UNCONFIRMED_SIGN_IN = ConnectError(
    AuthorizationOutcome.UNCONFIRMED,
    _(
        "Smartcar does not say that the driver of this car has just signed in. Nothing was changed. Start again from "
        "the car's connection, and sign in with the account that the car was connected with."
    ),
    _(
        "Smartcar does not say that you have just signed in for this car. Nothing was changed. Start again from the "
        "link that you were sent, and sign in with the account that the car was connected with."
    ),
)
INCOMPLETE = ConnectError(
    AuthorizationOutcome.INCOMPLETE,
    _("The address you came back with lacks what connects a car. Nothing was changed. Start again."),
)
NOTHING_SHARED = ConnectError(
    AuthorizationOutcome.NOTHING_SHARED,
    _("Smartcar lists no car for this sign-in. Start again and choose at least one car."),
)
INVITATION_OVER = ConnectError(
    AuthorizationOutcome.INVITATION_CLOSED,
    _("It was used, taken back or is too old, so no car was connected with it. Ask for a new one."),
)
CREDENTIALS = ConnectError(
    AuthorizationOutcome.CREDENTIALS_REJECTED,
    _(
        "The car was not connected, and it is not the driver's fault. Whoever runs this site should check the "
        "Smartcar credentials in its settings; then start again."
    ),
    _(
        "Your car was not connected, and it is not your fault: the fleet's connection to Smartcar is set up wrongly. "
        "Tell whoever invited you, and try again later through the same invitation."
    ),
)
UNREACHABLE = ConnectError(
    AuthorizationOutcome.UNREACHABLE,
    _("The car was not connected. Wait a minute and start again."),
)

_BY_ERROR = {
    "access_denied": ConnectError(
        AuthorizationOutcome.ACCESS_DENIED,
        _("The person at the car's account chose not to share it. Start again if that was a mistake."),
        _("You chose not to share your car, and nothing was shared. Start again if that was a mistake."),
    ),
    "invalid_subscription": ConnectError(
        AuthorizationOutcome.INVALID_SUBSCRIPTION,
        _(
            "The maker's subscription for this car has ended or was never started. Renew it in the maker's app, "
            "then start again."
        ),
    ),
    "no_vehicles": ConnectError(
        AuthorizationOutcome.NO_VEHICLES,
        _(
            "The maker's account holds no car that can be connected. Add the car in the maker's app, or sign in "
            "with the account that has it."
        ),
    ),
    "vehicle_incompatible": ConnectError(
        AuthorizationOutcome.VEHICLE_INCOMPATIBLE,
        _("Smartcar does not support this car, or not with the permissions that this fleet asks for."),
        _(
            "Smartcar does not support this car, or not with the data that the fleet asks for. Tell whoever invited "
            "you; if you have another car, start again with that one."
        ),
    ),
    "configuration_error": ConnectError(
        AuthorizationOutcome.CONFIGURATION_ERROR,
        _(
            "The car was not connected, and it is not the driver's fault. Whoever runs this site should compare "
            "its redirect address and permissions with Smartcar's dashboard."
        ),
        _(
            "Your car was not connected, and it is not your fault: the fleet's connection to Smartcar is set up "
            "wrongly. Tell whoever invited you, and try again later through the same invitation."
        ),
    ),
    "server_error": ConnectError(
        AuthorizationOutcome.SERVER_ERROR, _("The car was not connected. Wait a few minutes and start again.")
    ),
    "oem_cancelled_login": ConnectError(
        AuthorizationOutcome.SIGN_IN_CANCELED,
        _("Start again when you have the maker's account at hand."),
    ),
    "user_manually_returned_to_application": ConnectError(
        AuthorizationOutcome.RETURNED_EARLY, _("Start again when you are ready.")
    ),
    "battery_capacity_no_selection": ConnectError(
        AuthorizationOutcome.NO_BATTERY_SIZE,
        _("Start again and choose the size that your car's papers name."),
    ),
}


def error_for(*, error: str, params: Mapping[str, str] | None = None) -> ConnectError:
    """The words for an error redirect; `params` are what came with it.

    Of a car that cannot be connected they name the make, model, year and VIN ("Vehicle Incompatible").
    """
    known = _BY_ERROR.get(error)
    if known is None:
        return ConnectError(
            AuthorizationOutcome.UNKNOWN_ERROR,
            _(
                "Smartcar ended the connection with a reason that we do not know. Start again; if it stays, tell "
                "whoever runs this site the time at which it happened."
            ),
            _(
                "Smartcar ended the connection with a reason that we do not know. Start again; if it stays, tell "
                "whoever invited you the time at which it happened."
            ),
        )
    if error == "vehicle_incompatible":
        return replace(known, car=_with_vehicle(params or {}))
    return known


def _with_vehicle(params: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What the redirect names of the car. An address can be typed by hand: only what looks right is shown."""
    vin, year = params.get("vin", "").upper(), params.get("year", "")
    named = (
        (_("Make"), make_name(params.get("make", "")[:40])),
        (_("Model"), params.get("model", "")[:60]),
        (_("Year"), year if re.fullmatch(r"(19|20)[0-9]{2}", year) else ""),
        (_("VIN"), vin if re.fullmatch(r"[A-Z0-9]{17}", vin) else ""),
    )
    return tuple((label, value) for label, value in named if value)
