"""A driver's own page, opened by a personal link, without an account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from connect.driver import privacy, services
from connect.driver.forms import PAUSES, HoursForm, PauseForm
from connect.driver.models import DriverPage, PlacePause, WorkingHours, zone
from connect.models import Connection, ConnectionState
from connect.scopes import Scope, described


@dataclass(frozen=True, slots=True)
class Car:
    """One car on the driver's page."""

    connection: Connection
    scopes: list[Scope]
    pause: PlacePause | None
    hours: WorkingHours | None
    hidden: bool

    @property
    def withdrawn(self) -> bool:
        return self.connection.state == ConnectionState.REMOVED

    @property
    def tells_place(self) -> bool:
        return any(scope.name == "read_location" for scope in self.scopes)


@never_cache
@require_GET
@sensitive_variables()
def show(request: HttpRequest, secret: str) -> HttpResponse:
    """My cars, what is shared and with whom, and what I can do about it."""
    page = _page(secret)
    now = timezone.now()
    connections = page.connections.select_related("vehicle", "fleet", "working_hours")
    context = {
        "page": page,
        "sharing_with": page.fleet,
        "time_zone": zone(page.fleet.time_zone).key,
        "cars": [_car(connection, now=now) for connection in connections],
    }
    return render(request, "connect/driver/page.html", context)


def _car(connection: Connection, *, now: datetime) -> Car:
    under_way = Q(ends_at=None) | Q(ends_at__gt=now)
    rules = privacy.rules_of(vehicle_ids=[connection.vehicle_id], now=now)
    return Car(
        connection=connection,
        scopes=described(connection.scopes),
        pause=connection.place_pauses.filter(under_way, began_at__lte=now).first(),
        hours=getattr(connection, "working_hours", None),
        hidden=rules.hide(connection.vehicle_id, at=now),
    )


@never_cache
@require_POST
@sensitive_variables()
def act(request: HttpRequest, secret: str, connection_id: int, deed: str) -> HttpResponse:
    """Does one of the driver's deeds for one of their cars, and shows the page again."""
    page = _page(secret)
    connection = (
        page.connections.exclude(state=ConnectionState.REMOVED)
        .select_related("vehicle", "fleet", "tokens")
        .filter(pk=connection_id)
        .first()
    )
    if connection is None or deed not in _DEEDS:
        raise Http404("There is no such car on this page.")
    _DEEDS[deed](request, connection)
    return redirect(page.path)


@never_cache
@require_POST
@sensitive_variables()
def close(request: HttpRequest, secret: str) -> HttpResponse:
    """Closes the link for whoever else may hold it."""
    page = _page(secret)
    services.close(page=page)
    return render(request, "connect/driver/closed.html", {"sharing_with": page.fleet})


def _page(secret: str) -> DriverPage:
    page = DriverPage.of_secret(secret)
    if page is None:
        raise Http404("This link opens nothing here, or it was closed. Ask the fleet for a new invitation.")
    return page


def _pause(request: HttpRequest, connection: Connection) -> None:
    form = PauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose for how long the place is hidden.")
        return
    privacy.pause(connection=connection, lasts=PAUSES[form.cleaned_data["lasts"]], now=timezone.now())
    messages.success(request, f"The place of {connection.vehicle} is hidden.")


def _resume(request: HttpRequest, connection: Connection) -> None:
    privacy.resume(connection=connection, now=timezone.now())
    messages.success(request, "The pause is over. Where the car was meanwhile stays unknown.")


def _set_hours(request: HttpRequest, connection: Connection) -> None:
    form = HoursForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Working hours need two different times, such as 08:00 and 17:00.")
        return
    privacy.set_hours(connection=connection, now=timezone.now(), **form.cleaned_data)
    messages.success(
        request, f"{connection.fleet} knows the place of {connection.vehicle} in these hours only."
    )


def _clear_hours(request: HttpRequest, connection: Connection) -> None:
    privacy.clear_hours(connection=connection)
    messages.success(request, f"{connection.fleet} may know the place of {connection.vehicle} at all hours.")


def _withdraw(request: HttpRequest, connection: Connection) -> None:
    try:
        ended = services.withdraw(connection=connection)
    except services.NotWithdrawnError as error:
        messages.error(request, f"{connection.vehicle} is still shared: {error} Try again in a minute.")
        return
    messages.success(request, f"{connection.fleet} has no access to {connection.vehicle} any more.")
    if not ended:
        messages.success(
            request,
            "You share this car with another fleet on this site by the same sign-in. That goes on until you "
            "withdraw it on that fleet's page.",
        )


_DEEDS: dict[str, Callable[[HttpRequest, Connection], None]] = {
    "pause": _pause,
    "resume": _resume,
    "hours": _set_hours,
    "all-hours": _clear_hours,
    "withdraw": _withdraw,
}
