from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, get_membership_or_404
from dashboard.palette import results


@login_required
@require_GET
@never_cache
def search(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns what matches `?q=`, for the dialog as a fragment; as a page for browsers without JavaScript."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    membership.user = request.user  # type: ignore[assignment]  # already loaded
    query = request.GET.get("q", "")[: results.MAX_QUERY].strip()
    context = {
        "fleet": membership.fleet,
        "membership": membership,
        "query": query,
        "groups": results.find(membership=membership, query=query),
    }
    fragment = getattr(request, "htmx", False)
    return render(
        request, "dashboard/palette/results.html" if fragment else "dashboard/palette/page.html", context
    )
