"""Smartcar's regions, and which one a time zone is in. Pure functions."""

from django.utils.translation import gettext_lazy as _

from smartcar_api.compatibility import REGIONS

LABELS = {"US": _("United States"), "CA": _("Canada"), "EUROPE": _("Europe")}
CHOICES = [(region, LABELS[region]) for region in REGIONS]

_CANADA = frozenset(
    {
        "America/Atikokan",
        "America/Blanc-Sablon",
        "America/Cambridge_Bay",
        "America/Creston",
        "America/Dawson",
        "America/Dawson_Creek",
        "America/Edmonton",
        "America/Fort_Nelson",
        "America/Glace_Bay",
        "America/Goose_Bay",
        "America/Halifax",
        "America/Inuvik",
        "America/Iqaluit",
        "America/Moncton",
        "America/Montreal",
        "America/Nipigon",
        "America/Pangnirtung",
        "America/Rainy_River",
        "America/Rankin_Inlet",
        "America/Regina",
        "America/Resolute",
        "America/St_Johns",
        "America/Swift_Current",
        "America/Thunder_Bay",
        "America/Toronto",
        "America/Vancouver",
        "America/Whitehorse",
        "America/Winnipeg",
        "America/Yellowknife",
    }
)
_EUROPE = frozenset(
    {"Atlantic/Azores", "Atlantic/Canary", "Atlantic/Faroe", "Atlantic/Madeira", "Atlantic/Reykjavik"}
    | {"Africa/Ceuta", "Arctic/Longyearbyen", "Asia/Famagusta", "Asia/Nicosia"}
)


def region_of(time_zone: str) -> str:
    """Returns the region of a time zone: CA or EUROPE, and US for all others."""
    if time_zone in _CANADA or time_zone.startswith("Canada/"):
        return "CA"
    return "EUROPE" if time_zone in _EUROPE or time_zone.startswith("Europe/") else "US"
