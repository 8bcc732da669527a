"""The Connect pages for a browser. They work without JavaScript and load nothing from other hosts."""

from collections import OrderedDict
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.connect import capacity, flow
from simulator.connect.drivers import TEST_VINS
from simulator.connect.flow import ConnectPageError, Session
from simulator.hosts.common import get_simulation, mark
from simulator.permissions import describe
from simulator.rendering import NAMES, TEMPLATES, page, problem, redirect_browser
from simulator.simulation import Simulation

MAX_SESSIONS = 1000


class SessionStore:
    """The open sessions. The oldest are dropped, and a restart drops all of them."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Session] = OrderedDict()

    def add(self, session: Session) -> None:
        """Add a session."""
        self._open[session.id] = session
        while len(self._open) > MAX_SESSIONS:
            self._open.popitem(last=False)

    def get(self, session_id: str) -> Session | None:
        """Return an open session, or None."""
        return self._open.get(session_id)

    def end(self, session: Session) -> None:
        """Remove a session that has ended."""
        self._open.pop(session.id, None)


def _sessions(request: Request) -> SessionStore:
    sessions = request.app.state.sessions
    if not isinstance(sessions, SessionStore):
        raise TypeError("the Connect host has no sessions")
    return sessions


async def _not_found(_: Request, __: Exception) -> Response:
    return problem("This page has expired", "Please go back to the application and start again.", status=404)


def _session(request: Request) -> Session:
    session = _sessions(request).get(request.path_params["session_id"])
    if session is None:
        raise LookupError("unknown session")
    return session


def _next(simulation: Simulation, session: Session) -> str:
    """Return the page at which a session continues."""
    here = f"/connect/flow/{session.id}"
    if session.stopped:
        return f"{here}/stopped?error={session.stopped}"
    if session.driver is not None:
        return f"{here}/grant"
    if session.make:
        return f"{here}/sign-in?make={session.make}"
    return f"{here}/brand"


async def start(request: Request) -> Response:
    """GET /oauth/authorize and /oauth/reauthenticate"""
    simulation = get_simulation(request)
    try:
        session = flow.open_session(simulation, str(request.url))
    except ConnectPageError as error:
        return problem("This link doesn't work", str(error))
    _sessions(request).add(session)
    return RedirectResponse(_next(simulation, session), status_code=302)


async def brand(request: Request) -> Response:
    """Choose the brand from a searchable list"""
    simulation, session = get_simulation(request), _session(request)
    query = request.query_params.get("q", "").strip()
    makes = sorted(
        {each.make for each in simulation.fleet.vehicles.values()}, key=lambda make: NAMES[make].lower()
    )
    shown = [(make, NAMES[make]) for make in makes if query.lower() in NAMES[make].lower()]
    return page("connect/brand.html", session=session, makes=shown, query=query, step=1)


def _sign_in_page(
    simulation: Simulation, session: Session, make: str, *, email: str = "", error: str | None = None
) -> Response:
    accounts = [
        (each.email, ", ".join(simulation.fleet.vehicles[vehicle].model for vehicle in each.vehicle_ids))
        for each in simulation.fleet.get_accounts(make)
    ]
    expected = flow.expected_driver(simulation, session)
    return page(
        "connect/sign_in.html",
        status=400 if error else 200,
        session=session,
        make=make,
        display=NAMES[make],
        accounts=accounts[:50],
        test_addresses=list(TEST_VINS.values()),
        email=email or (expected.email if expected else ""),
        problem=error,
        step=2,
        back=f"/connect/flow/{session.id}/brand",
    )


async def sign_in_page(request: Request) -> Response:
    """The manufacturer's sign-in page"""
    simulation, session = get_simulation(request), _session(request)
    make = request.query_params.get("make", "")
    if make not in NAMES:
        return RedirectResponse(f"/connect/flow/{session.id}/brand", status_code=302)
    return _sign_in_page(simulation, session, make, email=request.query_params.get("email", ""))


async def sign_in(request: Request) -> Response:
    """Check the account. Any password is accepted"""
    simulation, session = get_simulation(request), _session(request)
    form = await request.form()
    make, email = str(form.get("make", "")), str(form.get("email", ""))
    if make not in NAMES:
        return RedirectResponse(f"/connect/flow/{session.id}/brand", status_code=302)
    error = flow.sign_in(simulation, session, make=make, email=email)
    if error or session.driver is None:
        return _sign_in_page(simulation, session, make, email=email, error=error)
    mark(request, user_id=session.driver.user_id)
    if session.driver.connect_error:
        return RedirectResponse(
            f"/connect/flow/{session.id}/stopped?error={session.driver.connect_error}", status_code=303
        )
    if session.kind == flow.REAUTHENTICATE:
        return _end(request, session, flow.reauthenticate(simulation, session))
    if flow.approved_before(simulation, session):
        vehicles, _ = flow.eligible(simulation, session)
        return _end(
            request, session, flow.grant(simulation, session, vehicle_ids=[each.id for each in vehicles])
        )
    return RedirectResponse(f"/connect/flow/{session.id}/grant", status_code=303)


def _end(request: Request, session: Session, address: str | None) -> Response:
    _sessions(request).end(session)
    return redirect_browser(address)


async def grant_page(request: Request) -> Response:
    """Vehicles and permissions, to be granted or denied"""
    simulation, session = get_simulation(request), _session(request)
    if session.driver is None:
        return _end(request, session, flow.end_with_error(session, "configuration_error"))
    return _grant_page(simulation, session)


def _grant_page(simulation: Simulation, session: Session, *, error: str | None = None) -> Response:
    vehicles, ineligible = flow.eligible(simulation, session)
    if not vehicles:
        return RedirectResponse(
            f"/connect/flow/{session.id}/stopped?error={'vehicle_incompatible' if ineligible else 'no_vehicles'}",
            status_code=302,
        )
    scopes = list(session.scopes)
    return page(
        "connect/grant.html",
        status=400 if error else 200,
        session=session,
        vehicles=vehicles,
        ineligible=ineligible,
        application=_application_name(session),
        reads=describe([each for each in scopes if each.startswith("read_")]),
        controls=describe([each for each in scopes if each.startswith("control_")]),
        problem=error,
        step=3,
    )


def _application_name(session: Session) -> str:
    return urlsplit(session.redirect_uri).netloc if session.redirect_uri else "you came from"


async def grant(request: Request) -> Response:
    """Grant or deny"""
    simulation, session = get_simulation(request), _session(request)
    form = await request.form()
    if session.driver is None:
        return _end(request, session, flow.end_with_error(session, "configuration_error"))
    mark(request, user_id=session.driver.user_id)
    if form.get("answer") != "allow":
        return _end(request, session, flow.end_with_error(session, "access_denied"))
    vehicles, _ = flow.eligible(simulation, session)
    selected = [each.id for each in vehicles if each.id in form.getlist("vehicle")]
    if not selected:
        return _grant_page(simulation, session, error="Please choose a vehicle.")
    selected = selected[:1] if session.single else selected
    address = flow.grant(simulation, session, vehicle_ids=selected)
    if "read_battery" in session.scopes:
        session.questions = capacity.unanswered(simulation, selected)
    session.address = address
    if session.questions:
        return RedirectResponse(f"/connect/flow/{session.id}/capacity", status_code=303)
    return _end(request, session, address)


async def ask_capacity(request: Request) -> Response:
    """Ask for the battery capacity of each granted vehicle that needs it, then redirect the browser"""
    simulation, session = get_simulation(request), _session(request)
    if session.questions and request.method == "POST":
        await capacity.read_answer(request, simulation, simulation.fleet.vehicles[session.questions.pop(0)])
        return RedirectResponse(f"/connect/flow/{session.id}/capacity", status_code=303)
    if session.questions:
        vehicle = simulation.fleet.vehicles[session.questions[0]]
        return capacity.question(simulation, vehicle, action=f"/connect/flow/{session.id}/capacity")
    if session.address is None and session.redirect_uri is not None:
        return _end(request, session, flow.end_with_error(session, "configuration_error"))
    return _end(request, session, session.address)


STOPPED = {
    "configuration_error": ("This link is invalid", flow.CONFIGURATION[True]),
    "no_vehicles": (
        "No vehicles found",
        "This account has no vehicles. Add one and try again.",
    ),
    "invalid_subscription": (
        "Your subscription isn't active",
        "This car's connected services have expired or were never activated.",
    ),
    "vehicle_incompatible": (
        "Your car isn't compatible",
        "This car can't be connected to the application.",
    ),
}


async def stopped(request: Request) -> Response:
    """Explain why the flow can't continue, with a link back to the application"""
    session = _session(request)
    error = request.query_params.get("error", "")
    heading, text = STOPPED.get(error, STOPPED["vehicle_incompatible"])
    leave = f"/connect/flow/{session.id}/leave?error={error}"
    return problem(heading, text, status=200, leave=leave, label="Back to application")


async def incompatible(request: Request) -> Response:
    """The brand isn't in the list"""
    session = _session(request)
    leave = f"/connect/flow/{session.id}/leave?error=vehicle_incompatible"
    text = "Cars of other brands can't be connected."
    return problem("Your brand isn't supported", text, status=200, leave=leave, label="Back to application")


async def leave(request: Request) -> Response:
    """Return to the application without granting"""
    simulation, session = get_simulation(request), _session(request)
    error = request.query_params.get("error", "user_manually_returned_to_application")
    if error not in flow.DESCRIPTIONS:
        error = "user_manually_returned_to_application"
    ineligible = flow.eligible(simulation, session)[1]
    return _end(
        request, session, flow.end_with_error(session, error, vehicle=ineligible[0] if ineligible else None)
    )


async def style(_: Request) -> Response:
    """The style sheet"""
    return FileResponse(TEMPLATES / "connect" / "style.css", media_type="text/css")


def connect_host(simulation: Simulation) -> Starlette:
    """Return the routes of smartcar.com."""
    path = "/flow/{session_id}"
    app = Starlette(
        routes=[
            Route("/oauth/authorize", start),
            Route("/oauth/reauthenticate", start),
            Route("/style.css", style),
            Route(f"{path}/brand", brand),
            Route(f"{path}/sign-in", sign_in_page, methods=["GET"]),
            Route(f"{path}/sign-in", sign_in, methods=["POST"]),
            Route(f"{path}/grant", grant_page, methods=["GET"]),
            Route(f"{path}/grant", grant, methods=["POST"]),
            Route(f"{path}/stopped", stopped),
            Route(f"{path}/incompatible", incompatible),
            Route(f"{path}/leave", leave),
            Route(f"{path}/capacity", ask_capacity, methods=["GET", "POST"]),
            Route("/battery-capacity", capacity.standalone, methods=["GET", "POST"]),
        ],
        exception_handlers={LookupError: _not_found, 404: _not_found},
    )
    app.state.simulation = simulation
    app.state.sessions = SessionStore()
    return app
