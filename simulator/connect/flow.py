"""The Connect flow without its pages: what an address requests, who signed in, and where the browser goes next.

Parameters, redirects and errors follow "Build the Connect URL", "Handle the Response", "Redirect to Connect"
(re-authentication), "User Selected Battery Capacity" and the pages about Connect errors.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from simulator.connect.drivers import TEST_VINS, Driver, find_driver, find_owner
from simulator.connections import User
from simulator.permissions import PERMISSIONS
from simulator.simulation import Simulation, applicable_permissions
from simulator.vehicles import Vehicle

DESCRIPTIONS = {
    "access_denied": "User denied access to application.",
    "invalid_subscription": "User does not have an active connected vehicle subscription.",
    "configuration_error": "There has been an error in the configuration of your application.",
    "no_vehicles": "No vehicles found. Please add vehicles to your account and try again.",
    "vehicle_incompatible": "The user's vehicle is not compatible.",
    "server_error": "Unexpected server error. Please try again.",
    "oem_cancelled_login": "The user did not complete authorization with the OEM",
    "user_manually_returned_to_application": "The user exited Connect before granting your application access",
}
CONFIGURATION = {
    True: "You have entered a test mode VIN. Please enter a VIN that belongs to a real vehicle.",
    False: "This page cannot be opened at this step.",
}
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "::1")
AUTHORIZE, REAUTHENTICATE = "authorize", "reauthenticate"
THEN_CAPACITY = "battery-capacity"


class ConnectPageError(Exception):
    """The Connect address is invalid, so Connect shows a page instead of a redirect."""


@dataclass(slots=True, kw_only=True)
class Session:
    """One session in Connect. ``redirect_uri`` is None only for response_type ``none``."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    kind: str
    response_type: str
    redirect_uri: str | None
    state: str | None
    scopes: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    external_id: str | None = None
    sets_external_id: bool = False
    label: str | None = None
    mode: str = "live"
    make: str | None = None
    single: bool = False
    vin: str | None = None
    force: bool = False
    country: str = "US"
    vehicle_id: str | None = None
    driver: Driver | None = None
    questions: list[str] = field(default_factory=list)
    address: str | None = None
    stopped: str | None = None
    then_capacity: bool = False


def open_session(simulation: Simulation, url: str) -> Session:
    """Open a session for a Connect address.

    Raises:
        ConnectPageError: The address is invalid.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    kind = REAUTHENTICATE if parts.path.rstrip("/").endswith("/reauthenticate") else AUTHORIZE
    _check_application(simulation, query)
    response_type = query.get("response_type", "")
    allowed = ("code", "none") if kind == AUTHORIZE else ("vehicle_id", "none")
    if response_type not in allowed:
        raise ConnectPageError(f"response_type must be {' or '.join(allowed)}.")
    session = Session(
        kind=kind,
        response_type=response_type,
        redirect_uri=checked_redirect(
            simulation, query.get("redirect_uri"), optional=response_type == "none"
        ),
        state=query.get("state"),
        external_id=query.get("external_id") or None,
        sets_external_id="external_id" in query,
        label=query.get("user"),
    )
    if kind == REAUTHENTICATE:
        return _reauthentication(simulation, session, query)
    return _authorization(simulation, session, query)


def _check_application(simulation: Simulation, query: Mapping[str, str]) -> None:
    application = query.get("application_id") or query.get("client_id")
    if not application:
        raise ConnectPageError("application_id is missing.")
    if application != simulation.settings.credentials.application_id:
        raise ConnectPageError("No application has this id.")


def checked_redirect(simulation: Simulation, requested: str | None, *, optional: bool = False) -> str | None:
    """Return the redirect URI.

    Raises:
        ConnectPageError: The URI isn't registered.
    """
    registered = simulation.settings.redirect_uris
    if not requested:
        if registered:
            return registered[0]
        if optional:
            return None
        raise ConnectPageError("redirect_uri is missing, and the application has none registered.")
    local = urlsplit(requested).scheme == "http" and urlsplit(requested).hostname in LOCAL_HOSTS
    if requested not in registered and not (local and not registered):
        raise ConnectPageError("redirect_uri is not one of the application's redirect URIs.")
    return requested


def _reauthentication(simulation: Simulation, session: Session, query: Mapping[str, str]) -> Session:
    vehicle = simulation.vehicle(query.get("vehicle_id", ""))
    connected = simulation.connections.select(vehicle_id=vehicle.id) if vehicle else []
    if vehicle is None or not connected:
        raise ConnectPageError("No connected vehicle has this vehicle_id.")
    session.vehicle_id, session.make = vehicle.id, vehicle.make
    session.then_capacity = query.get("then") == THEN_CAPACITY
    return session


def _authorization(simulation: Simulation, session: Session, query: Mapping[str, str]) -> Session:
    requested_scopes = query.get("scope", "").split() or list(PERMISSIONS)
    session.scopes = tuple(dict.fromkeys(each.removeprefix("required:") for each in requested_scopes))
    session.required = frozenset(each[9:] for each in requested_scopes if each.startswith("required:"))
    unknown = [each for each in session.scopes if each not in PERMISSIONS]
    if unknown:
        raise ConnectPageError(f"Unknown permission in scope: {', '.join(unknown)}.")
    session.mode = query.get("mode", "live")
    if session.mode not in ("live", "simulated", "test"):
        raise ConnectPageError("mode must be live or simulated.")
    session.force = query.get("approval_prompt", "auto") == "force"
    flags = dict(each.partition(":")[::2] for each in query.get("flags", "").split())
    session.country = flags.get("country", "US").upper()
    session.single = query.get("single_select", "").lower() == "true"
    makes = {each.make for each in simulation.fleet.vehicles.values()}
    make = query.get("make", "").upper().replace("-", "_")
    session.make = make if make in makes else None
    if session.single and query.get("single_select_vin"):
        session.vin = query["single_select_vin"].upper()
        vehicle = next((each for each in simulation.fleet.vehicles.values() if each.vin == session.vin), None)
        session.make = vehicle.make if vehicle else session.make
        if session.vin in TEST_VINS and session.mode == "live":
            session.stopped = "configuration_error"
    return session


def sign_in(simulation: Simulation, session: Session, *, make: str | None, email: str) -> str | None:
    """Sign a driver in. Return an error message, or None on success."""
    driver = find_driver(simulation, make=make, email=email)
    if driver is None:
        return "No account with this email exists at this brand."
    if session.kind == REAUTHENTICATE:
        connection = simulation.connections.get(user_id=driver.user_id, vehicle_id=session.vehicle_id or "")
        if connection is None:
            return "This account doesn't have the vehicle to reconnect."
    session.driver, session.make = driver, make or session.make
    return None


def eligible(simulation: Simulation, session: Session) -> tuple[list[Vehicle], list[Vehicle]]:
    """Return the driver's vehicles that can be granted, and those that lack required permissions."""
    driver = session.driver
    vehicles = [simulation.fleet.vehicles[each] for each in driver.vehicle_ids] if driver else []
    if session.vin and session.vin not in TEST_VINS:
        vehicles = [each for each in vehicles if each.vin == session.vin]
    enforced = session.required if session.country in ("US", "CA") else frozenset[str]()
    matching = [each for each in vehicles if enforced <= applicable_permissions(each)]
    return matching, [each for each in vehicles if each not in matching]


def approved_before(simulation: Simulation, session: Session) -> bool:
    """Return whether the driver has granted all this before, so that ``approval_prompt=auto`` skips the question."""
    vehicles, _ = eligible(simulation, session)
    if session.force or session.single or session.driver is None or not vehicles:
        return False
    connections = [
        simulation.connections.get(user_id=session.driver.user_id, vehicle_id=each.id) for each in vehicles
    ]
    return all(each is not None and set(session.scopes) <= set(each.permissions) for each in connections)


def grant(
    simulation: Simulation,
    session: Session,
    *,
    vehicle_ids: Sequence[str],
    scopes: Sequence[str] | None = None,
) -> str | None:
    """Grant access to vehicles. Return the redirect address, or None for Smartcar's own last page."""
    user = _remember(simulation, session)
    granted = tuple(each for each in session.scopes if scopes is None or each in scopes)
    simulation.grant(user=user, vehicle_ids=vehicle_ids, permissions=granted, mode=session.mode)
    if session.redirect_uri is None:
        return None
    fields: list[tuple[str, str]] = []
    if session.response_type == "code":
        code = simulation.tokens.issue_code(
            user_id=user.id,
            vehicle_ids=tuple(vehicle_ids),
            scopes=granted,
            redirect_uri=session.redirect_uri,
            now=simulation.now(),
        )
        fields.append(("code", code))
    return _redirect(session, [*fields, (simulation.settings.user_id_name, user.id)])


def reauthenticate(simulation: Simulation, session: Session) -> str | None:
    """Renew the login of a vehicle's account. Return the redirect address, or None for Smartcar's own last page."""
    user, vehicle_id = _remember(simulation, session), session.vehicle_id or ""
    expired = simulation.faults.reauthenticate
    simulation.faults.reauthenticate = tuple(each for each in expired if each not in (user.id, vehicle_id))
    simulation.feed.recheck([each.vehicle_id for each in simulation.connections.select(user_id=user.id)])
    if session.redirect_uri is None:
        return None
    if session.then_capacity:
        return f"{simulation.capacity_url(vehicle_id)}{quote(session.redirect_uri, safe='')}"
    return _redirect(session, [("vehicle_id", vehicle_id)])


def _remember(simulation: Simulation, session: Session) -> User:
    driver = session.driver
    if driver is None:
        raise ConnectPageError("Nobody has signed in.")
    user = simulation.connections.remember(user_id=driver.user_id, email=driver.email, error=driver.error)
    if session.sets_external_id:
        user.external_id = session.external_id
    user.label = session.label or user.label
    simulation.changed = True
    return user


def end_with_error(session: Session, error: str, *, vehicle: Vehicle | None = None) -> str | None:
    """End the session with an error. Return the redirect address, or None for Smartcar's own last page."""
    if session.redirect_uri is None:
        return None
    fields = [("error", error), ("error_description", DESCRIPTIONS.get(error, "The request failed."))]
    if error == "configuration_error":
        fields += [("status_code", "400"), ("error_message", CONFIGURATION[session.stopped is not None])]
    if error == "vehicle_incompatible" and vehicle is not None:
        fields += [
            ("vin", vehicle.vin),
            ("make", vehicle.make),
            ("model", vehicle.model),
            ("year", str(vehicle.year)),
        ]
    return _redirect(session, fields)


def _redirect(session: Session, fields: Sequence[tuple[str, str]]) -> str:
    extra = [(name, value) for name, value in fields]
    if session.external_id and not any(name == "error" for name, _ in fields):
        extra.append(("external_id", session.external_id))
    if session.state is not None:
        extra.append(("state", session.state))
    return with_query(session.redirect_uri or "", extra)


def with_query(uri: str, fields: Sequence[tuple[str, str]]) -> str:
    """Return ``uri`` with more query parameters."""
    parts = urlsplit(uri)
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def expected_driver(simulation: Simulation, session: Session) -> Driver | None:
    """Return the driver to sign in if none is named: the owner of the VIN, or of the vehicle to re-authenticate."""
    if session.vin in TEST_VINS:
        return find_driver(simulation, make=session.make, email=TEST_VINS[session.vin])
    if session.kind == REAUTHENTICATE:
        connections = simulation.connections.select(vehicle_id=session.vehicle_id)
        user = simulation.connections.users.get(connections[0].user_id) if connections else None
        return find_driver(simulation, make=None, email=user.email) if user else None
    if session.vin:
        vehicle = next((each for each in simulation.fleet.vehicles.values() if each.vin == session.vin), None)
        return find_owner(simulation, vehicle) if vehicle else None
    return None
