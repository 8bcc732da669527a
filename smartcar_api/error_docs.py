"""The page of Smartcar's documentation about an error, which Smartcar sends as `docURL` with every documented error.

Errors are stored as type and code, and the addresses follow from these ("API Errors").
"""

_PAGES = {
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
_ROOT = "https://smartcar.com/docs/errors/api-errors"


def documentation_url(type: str, code: str = "") -> str:  # noqa: A002
    """Returns the address about the error; "" for errors of our own and for types that aren't documented."""
    page = _PAGES.get(type)
    if page is None:
        return ""
    return f"{_ROOT}/{page}#{code.lower().replace('_', '-')}" if code else f"{_ROOT}/{page}"
