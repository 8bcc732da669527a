"""The Connect pages a person clicks through. They work without JavaScript and ask nothing of other hosts."""

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
from simulator.permissions import in_words
from simulator.rendering import NAMES, TEMPLATES, page, problem, send_browser
from simulator.simulation import Simulation

REMEMBERED = 1000


class Visits:
    """The visits going on; the oldest are forgotten. A restart forgets them all."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Session] = OrderedDict()

    def add(self, session: Session) -> None:
        """Remember a visit."""
        self._held[session.id] = session
        while len(self._held) > REMEMBERED:
            self._held.popitem(last=False)

    def get(self, session_id: str) -> Session | None:
        """A visit going on, or None."""
        return self._held.get(session_id)

    def end(self, session: Session) -> None:
        """Forget a visit that has ended."""
        self._held.pop(session.id, None)


def _visits(request: Request) -> Visits:
    visits = request.app.state.visits
    if not isinstance(visits, Visits):
        raise TypeError("the Connect host has no visits")
    return visits


async def _lost(_: Request, __: Exception) -> Response:
    return problem("This page has expired", "Please go back to the application and start again.", status=404)


def _session(request: Request) -> Session:
    session = _visits(request).get(request.path_params["session_id"])
    if session is None:
        raise LookupError("no such visit")
    return session


def _next(simulation: Simulation, session: Session) -> str:
    """The page a visit stands at."""
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
    except ConnectPageError as wrong:
        return problem("This link does not work", str(wrong))
    _visits(request).add(session)
    return RedirectResponse(_next(simulation, session), status_code=302)


async def brand(request: Request) -> Response:
    """Pick the brand, from a list that can be searched"""
    simulation, session = get_simulation(request), _session(request)
    query = request.query_params.get("q", "").strip()
    makes = sorted(
        {each.make for each in simulation.fleet.vehicles.values()}, key=lambda make: NAMES[make].lower()
    )
    shown = [(make, NAMES[make]) for make in makes if query.lower() in NAMES[make].lower()]
    return page("connect/brand.html", session=session, makes=shown, query=query, step=1)


def _sign_in_page(
    simulation: Simulation, session: Session, make: str, *, email: str = "", wrong: str | None = None
) -> Response:
    accounts = [
        (each.email, ", ".join(simulation.fleet.vehicles[vehicle].model for vehicle in each.vehicle_ids))
        for each in simulation.fleet.accounts_of(make)
    ]
    expected = flow.expected_driver(simulation, session)
    return page(
        "connect/sign_in.html",
        status=400 if wrong else 200,
        session=session,
        make=make,
        display=NAMES[make],
        accounts=accounts[:50],
        test_addresses=list(TEST_VINS.values()),
        email=email or (expected.email if expected else ""),
        problem=wrong,
        step=2,
        back=f"/connect/flow/{session.id}/brand",
    )


async def sign_in_page(request: Request) -> Response:
    """The maker's sign-in"""
    simulation, session = get_simulation(request), _session(request)
    make = request.query_params.get("make", "")
    if make not in NAMES:
        return RedirectResponse(f"/connect/flow/{session.id}/brand", status_code=302)
    return _sign_in_page(simulation, session, make, email=request.query_params.get("email", ""))


async def sign_in(request: Request) -> Response:
    """Check the account; any password will do"""
    simulation, session = get_simulation(request), _session(request)
    form = await request.form()
    make, email = str(form.get("make", "")), str(form.get("email", ""))
    if make not in NAMES:
        return RedirectResponse(f"/connect/flow/{session.id}/brand", status_code=302)
    wrong = flow.sign_in(simulation, session, make=make, email=email)
    if wrong or session.driver is None:
        return _sign_in_page(simulation, session, make, email=email, wrong=wrong)
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
    _visits(request).end(session)
    return send_browser(address)


async def grant_page(request: Request) -> Response:
    """Vehicles and permissions, to be granted or denied"""
    simulation, session = get_simulation(request), _session(request)
    if session.driver is None:
        return _end(request, session, flow.refuse(session, "configuration_error"))
    return _grant_page(simulation, session)


def _grant_page(simulation: Simulation, session: Session, *, wrong: str | None = None) -> Response:
    vehicles, unfit = flow.eligible(simulation, session)
    if not vehicles:
        return RedirectResponse(
            f"/connect/flow/{session.id}/stopped?error={'vehicle_incompatible' if unfit else 'no_vehicles'}",
            status_code=302,
        )
    scopes = list(session.scopes)
    return page(
        "connect/grant.html",
        status=400 if wrong else 200,
        session=session,
        vehicles=vehicles,
        unfit=unfit,
        application=_application_name(session),
        reads=in_words([each for each in scopes if each.startswith("read_")]),
        controls=in_words([each for each in scopes if each.startswith("control_")]),
        problem=wrong,
        step=3,
    )


def _application_name(session: Session) -> str:
    return urlsplit(session.redirect_uri).netloc if session.redirect_uri else "you came from"


async def grant(request: Request) -> Response:
    """Grant or deny"""
    simulation, session = get_simulation(request), _session(request)
    form = await request.form()
    if session.driver is None:
        return _end(request, session, flow.refuse(session, "configuration_error"))
    mark(request, user_id=session.driver.user_id)
    if form.get("answer") != "allow":
        return _end(request, session, flow.refuse(session, "access_denied"))
    vehicles, _ = flow.eligible(simulation, session)
    chosen = [each.id for each in vehicles if each.id in form.getlist("vehicle")]
    if not chosen:
        return _grant_page(simulation, session, wrong="Please choose a vehicle.")
    chosen = chosen[:1] if session.single else chosen
    address = flow.grant(simulation, session, vehicle_ids=chosen)
    if "read_battery" in session.scopes:
        session.questions = capacity.unanswered(simulation, chosen)
    session.address = address
    if session.questions:
        return RedirectResponse(f"/connect/flow/{session.id}/capacity", status_code=303)
    return _end(request, session, address)


async def ask_capacity(request: Request) -> Response:
    """Ask for the battery capacity of each granted car that needs it, then send the browser on"""
    simulation, session = get_simulation(request), _session(request)
    if session.questions and request.method == "POST":
        await capacity.answer(request, simulation, simulation.fleet.vehicles[session.questions.pop(0)])
        return RedirectResponse(f"/connect/flow/{session.id}/capacity", status_code=303)
    if session.questions:
        vehicle = simulation.fleet.vehicles[session.questions[0]]
        return capacity.question(simulation, vehicle, action=f"/connect/flow/{session.id}/capacity")
    if session.address is None and session.redirect_uri is not None:
        return _end(request, session, flow.refuse(session, "configuration_error"))
    return _end(request, session, session.address)


STOPPED = {
    "configuration_error": ("Something is wrong with this link", flow.CONFIGURATION[True]),
    "no_vehicles": (
        "We found no vehicle",
        "There are no vehicles in this account. Add one to it and try again.",
    ),
    "invalid_subscription": (
        "Your subscription is not active",
        "The connected services of this car have expired or were never activated.",
    ),
    "vehicle_incompatible": (
        "Your car is not compatible",
        "This car cannot be connected to the application.",
    ),
}


async def stopped(request: Request) -> Response:
    """Why it goes no further, with the way back to the application"""
    session = _session(request)
    error = request.query_params.get("error", "")
    heading, text = STOPPED.get(error, STOPPED["vehicle_incompatible"])
    leave = f"/connect/flow/{session.id}/leave?error={error}"
    return problem(heading, text, status=200, leave=leave, label="Back to application")


async def incompatible(request: Request) -> Response:
    """The brand is not in the list"""
    session = _session(request)
    leave = f"/connect/flow/{session.id}/leave?error=vehicle_incompatible"
    text = "Cars of other brands cannot be connected."
    return problem("Your brand is not supported", text, status=200, leave=leave, label="Back to application")


async def leave(request: Request) -> Response:
    """Go back to the application without granting"""
    simulation, session = get_simulation(request), _session(request)
    error = request.query_params.get("error", "user_manually_returned_to_application")
    if error not in flow.DESCRIPTIONS:
        error = "user_manually_returned_to_application"
    unfit = flow.eligible(simulation, session)[1]
    return _end(request, session, flow.refuse(session, error, vehicle=unfit[0] if unfit else None))


async def style(_: Request) -> Response:
    """The style sheet"""
    return FileResponse(TEMPLATES / "connect" / "style.css", media_type="text/css")


def connect_host(simulation: Simulation) -> Starlette:
    """smartcar_api.com"""
    visit = "/flow/{session_id}"
    app = Starlette(
        routes=[
            Route("/oauth/authorize", start),
            Route("/oauth/reauthenticate", start),
            Route("/style.css", style),
            Route(f"{visit}/brand", brand),
            Route(f"{visit}/sign-in", sign_in_page, methods=["GET"]),
            Route(f"{visit}/sign-in", sign_in, methods=["POST"]),
            Route(f"{visit}/grant", grant_page, methods=["GET"]),
            Route(f"{visit}/grant", grant, methods=["POST"]),
            Route(f"{visit}/stopped", stopped),
            Route(f"{visit}/incompatible", incompatible),
            Route(f"{visit}/leave", leave),
            Route(f"{visit}/capacity", ask_capacity, methods=["GET", "POST"]),
            Route("/battery-capacity", capacity.standalone, methods=["GET", "POST"]),
        ],
        exception_handlers={LookupError: _lost, 404: _lost},
    )
    app.state.simulation = simulation
    app.state.visits = Visits()
    return app
