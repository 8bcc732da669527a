"""What a trip to Smartcar Connect can end in, in words for the person who made it.

Source: Smartcar documentation, "Handle the Response" (error redirects). The list there is open.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connect.models import Invitation


@dataclass(frozen=True, slots=True)
class Trouble:
    """A trip that connected nothing: what happened, and what to do next.

    `for_driver` says it to an invited driver, who knows neither the fleet's pages nor who runs the site.
    """

    title: str
    text: str
    driver_text: str = ""

    @property
    def for_driver(self) -> str:
        return self.driver_text or self.text


class ConnectRefusedError(Exception):
    """The trip ended without a connection. Nothing was changed. `invitation` is the one it was made by, if any."""

    def __init__(self, trouble: Trouble, invitation: "Invitation | None" = None) -> None:
        super().__init__(trouble.title)
        self.trouble = trouble
        self.invitation = invitation


UNKNOWN_STATE = Trouble(
    "This link back from Smartcar is not ours",
    "We did not send anyone to Smartcar with it from this browser, it was used before, or it is too old. "
    "Nothing was changed. Start again from your fleet with “Connect a vehicle”.",
    "We did not send anyone to Smartcar with it from this browser, it was used before, or it is too old. "
    "Nothing was changed. Open the link of your invitation again and start from there.",
)
UNCONFIRMED_USER = Trouble(
    "Smartcar does not confirm this sign-in",
    "The address you came back with names a Smartcar user that did not just connect to this fleet. "
    "Nothing was changed. Start again from your fleet with “Connect a vehicle”.",
    "The address you came back with names somebody who did not just share a car by this invitation. "
    "Nothing was changed. Start again from your invitation.",
)
INCOMPLETE = Trouble(
    "Smartcar sent you back without an answer",
    "The address you came back with lacks what connects a car. Nothing was changed. Start again.",
)
NOTHING_SHARED = Trouble(
    "No car was shared",
    "Smartcar lists no car for this sign-in. Start again and choose at least one car.",
)
INVITATION_OVER = Trouble(
    "This invitation is not open any more",
    "It was used, taken back or is too old, so no car was connected with it. Ask for a new one.",
)
CREDENTIALS = Trouble(
    "Smartcar does not accept our credentials",
    "The car was not connected, and it is not the driver's fault. Whoever runs this site should check the "
    "Smartcar credentials in its settings; then start again.",
    "Your car was not connected, and it is not your fault: the fleet's connection to Smartcar is set up wrongly. "
    "Tell whoever invited you, and try again later through the same invitation.",
)
UNREACHABLE = Trouble(
    "Smartcar did not answer",
    "The car was not connected. Wait a minute and start again.",
)

_BY_ERROR = {
    "access_denied": Trouble(
        "Access was not allowed",
        "The person at the car's account chose not to share it. Start again if that was a mistake.",
        "You chose not to share your car, and nothing was shared. Start again if that was a mistake.",
    ),
    "invalid_subscription": Trouble(
        "The car's connected services are not active",
        "The maker's subscription for this car has ended or was never started. Renew it in the maker's app, "
        "then start again.",
    ),
    "no_vehicles": Trouble(
        "No car in this account",
        "The maker's account holds no car that can be connected. Add the car in the maker's app, or sign in "
        "with the account that has it.",
    ),
    "vehicle_incompatible": Trouble(
        "This car cannot be connected",
        "Smartcar does not support this car, or not with the permissions that this fleet asks for.",
        "Smartcar does not support this car, or not with the data that the fleet asks for. Tell whoever invited "
        "you; if you have another car, start again with that one.",
    ),
    "configuration_error": Trouble(
        "This site's Smartcar application is set up wrongly",
        "The car was not connected, and it is not the driver's fault. Whoever runs this site should compare "
        "its redirect address and permissions with Smartcar's dashboard.",
        "Your car was not connected, and it is not your fault: the fleet's connection to Smartcar is set up "
        "wrongly. Tell whoever invited you, and try again later through the same invitation.",
    ),
    "server_error": Trouble(
        "Smartcar had a problem", "The car was not connected. Wait a few minutes and start again."
    ),
    "oem_cancelled_login": Trouble(
        "The sign-in at the maker was cancelled", "Start again when you have the maker's account at hand."
    ),
    "user_manually_returned_to_application": Trouble(
        "You came back before a car was connected", "Start again when you are ready."
    ),
    "battery_capacity_no_selection": Trouble(
        "No battery size was chosen", "Start again and choose the size that your car's papers name."
    ),
}


def trouble_for(*, error: str, car: str) -> Trouble:
    """The words for an error redirect; `car` is the make, model and year it names, or empty."""
    known = _BY_ERROR.get(error)
    if known is None:
        return Trouble(
            "The car was not connected",
            "Smartcar ended the connection with a reason that we do not know. Start again; if it stays, tell "
            "whoever runs this site the time at which it happened.",
            "Smartcar ended the connection with a reason that we do not know. Start again; if it stays, tell "
            "whoever invited you the time at which it happened.",
        )
    if car and error == "vehicle_incompatible":
        return replace(known, title=f"{known.title}: {car}")
    return known
