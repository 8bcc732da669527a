from django.conf import settings
from django.http import HttpRequest

from accounts.permissions import Permission, fleets_for


def site(request: HttpRequest) -> dict[str, object]:
    """Context of every page: the user's fleets, the URL of the map style (or ""), and whether this is a demo."""
    user = getattr(request, "user", None)
    return {
        "my_fleets": fleets_for(user=user, right=Permission.VIEW) if user is not None else [],
        "map_style_url": settings.MAP_STYLE_URL,
        "demo": settings.DEMO,
    }
