"""Limits of individual makes to know before a vehicle is connected ("Brand Quirks"), in English for translation."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

from vehicles.makes import make_key

_GM = (
    _("After 3–4 days without a trip, the vehicle sends no data until the ignition is turned on again."),
    _("Charging can be started and stopped only if the battery level is at least 50%."),
)
_PSA = (_("For charging commands, the driver must have set up a PIN in the manufacturer's app."),)
_KOREA = (
    _(
        "Models before 2025 report on changes, such as the end of a trip and every 10% while "
        "charging, but not while driving."
    ),
)
_LIMITS: Mapping[str, tuple[str, ...]] = {
    "ACURA": (
        _(
            "Some model years send no data while the ignition is on. After about a week without a "
            "trip, the vehicle sleeps."
        ),
    ),
    "AUDI": (_("Only an account that is a key user of the vehicle gives access to all data and commands."),),
    "BYD": (
        _(
            "An account can be signed in only once. The driver needs a separate account for "
            "Smartcar, or the connection ends with the next sign-in to the app."
        ),
    ),
    **dict.fromkeys(("BUICK", "CADILLAC", "CHEVROLET", "GMC"), _GM),
    **dict.fromkeys(("CITROEN", "DS", "OPEL", "PEUGEOT", "VAUXHALL"), _PSA),
    **dict.fromkeys(("HYUNDAI", "KIA"), _KOREA),
    "POLESTAR": (_("Charging can be stopped only at a battery level of at least 40%."),),
    "RIVIAN": (_("With two-factor authentication, the driver must sign in again about every two weeks."),),
    "TESLA": (
        _(
            "Model 3, Model Y, Cybertruck, and Model S and X from 2021 accept commands only after "
            "the driver added the virtual key. Without it, their data is updated only every eight hours."
        ),
        _("Only the main Tesla account, not a driver's profile, gives access to charging costs."),
    ),
    "VOLKSWAGEN": (
        _("Only an account that is the primary user of the vehicle gives access to all data and commands."),
        _("Many charging commands in a row are rejected until the vehicle is driven again."),
    ),
    "VOLVO": (
        _(
            "Most models from 2023 and several from 2021 can't be connected, because the driver "
            "must be in the vehicle to sign in."
        ),
        _("To unlock, someone must open the trunk about 10 seconds after the request."),
    ),
}


def limits_of(make: str) -> tuple[str, ...]:
    """Returns the limits of a make; none if it has no documented ones."""
    return _LIMITS.get(make_key(make), ())
