import secrets

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import Right, membership_for
from connect import flow
from connect.outcomes import ConnectRefusedError

_SESSION_KEY = "connect_secret"


@never_cache
@login_required
@require_GET
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends the browser to Smartcar Connect."""
    membership = membership_for(user=request.user, slug=slug, right=Right.CONNECT)
    secret = request.session.setdefault(_SESSION_KEY, secrets.token_urlsafe(32))
    return redirect(
        flow.start(
            fleet=membership.fleet,
            user=membership.user,
            session_secret=secret,
            make=request.GET.get("make", "")[:40],
        )
    )


@never_cache
@login_required
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Where Connect sends the browser back to."""
    try:
        arrival = flow.complete(
            params=request.GET.dict(),
            user=request.user,  # type: ignore[arg-type]  # login_required
            session_secret=request.session.get(_SESSION_KEY, ""),
        )
    except ConnectRefusedError as refusal:
        return render(request, "connect/trouble.html", {"trouble": refusal.trouble}, status=400)
    messages.success(request, _welcome([str(connection.vehicle) for connection in arrival.connections]))
    return redirect("fleet:fleet", slug=arrival.fleet.slug)


def _welcome(cars: list[str]) -> str:
    if len(cars) == 1:
        return f"{cars[0]} is connected. Its first data arrives within a minute or so."
    return (
        f"{len(cars)} cars are connected: {', '.join(cars)}. Their first data arrives within a minute or so."
    )
