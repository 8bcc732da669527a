from django.conf import settings
from django.http import HttpRequest

from accounts.permissions import Permission, fleets_for


def product(request: HttpRequest) -> dict[str, object]:
    """What every page shows: the user's fleets, and the address of the map's style if one is set."""
    user = getattr(request, "user", None)
    return {
        "my_fleets": fleets_for(user=user, right=Permission.VIEW) if user is not None else [],
        "map_style_url": settings.MAP_STYLE_URL,
        "demo": settings.DEMO,
    }
