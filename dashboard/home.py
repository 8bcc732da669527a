"""The start page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, fleets_for


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the user's first fleet, or explains what to do without one."""
    first = fleets_for(user=request.user, right=Permission.VIEW).first()
    return (
        redirect("dashboard:vehicles", slug=first.slug)
        if first
        else render(request, "dashboard/no_fleet.html")
    )
