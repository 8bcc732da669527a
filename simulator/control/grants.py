"""Granting access without a browser, in the same steps as the pages."""

from typing import Any

from simulator.connect import flow
from simulator.connect.drivers import Driver, find_driver, find_owner
from simulator.connect.flow import ConnectPageError, Session
from simulator.control.business_fleet import enroll
from simulator.simulation import Simulation


def grant(simulation: Simulation, body: dict[str, Any]) -> str | None:
    """Complete a Connect address and return the redirect address; None if Smartcar connected vehicles by itself.

    Raises:
        ConnectPageError: The address is invalid.
        ValueError: The body is invalid.
    """
    if body.get("businessFleet") is True:
        enroll(simulation, body)
        return None
    _check(body)
    session = flow.open_session(simulation, body["url"])
    if session.stopped:
        return flow.end_with_error(session, session.stopped)
    outcome = body.get("outcome") or "grant"
    if outcome == "deny":
        return flow.end_with_error(session, "access_denied")
    if outcome != "grant":
        return flow.end_with_error(session, outcome)
    driver = _driver(simulation, session, body)
    session.driver = driver
    if driver.connect_error:
        return flow.end_with_error(session, driver.connect_error)
    if session.kind == flow.REAUTHENTICATE:
        return flow.reauthenticate(simulation, session)
    return _grant(simulation, session, body)


def _check(body: dict[str, Any]) -> None:
    if not isinstance(body.get("url"), str):
        raise ValueError("url must be the Connect address")
    for name in ("email", "make", "outcome"):
        if not isinstance(body.get(name), str | None):
            raise ValueError(f"{name} must be a string")
    for name in ("vehicleIds", "scopes"):
        value = body.get(name)
        if value is not None and not (
            isinstance(value, list) and all(isinstance(each, str) for each in value)
        ):
            raise ValueError(f"{name} must be a list of strings")


def _driver(simulation: Simulation, session: Session, body: dict[str, Any]) -> Driver:
    make = body.get("make") or session.make
    make = make.upper() if make else None
    if body.get("email"):
        found = find_driver(simulation, make=make, email=body["email"])
    else:
        found = flow.expected_driver(simulation, session) or _unconnected_driver(simulation, make, body)
    if found is None:
        raise ValueError("no account matches")
    if session.kind == flow.REAUTHENTICATE:
        connection = simulation.connections.get(user_id=found.user_id, vehicle_id=session.vehicle_id or "")
        if connection is None:
            raise ConnectPageError("This account doesn't have the vehicle to reconnect.")
    return found


def _unconnected_driver(simulation: Simulation, make: str | None, body: dict[str, Any]) -> Driver | None:
    """Return the driver of the named vehicles, or the first one with enough vehicles, preferably not connected yet."""
    ids = body.get("vehicleIds") or []
    vehicle = simulation.vehicle(ids[0]) if ids else None
    if vehicle is not None:
        owner = find_owner(simulation, vehicle)
        if owner and set(ids) <= set(owner.vehicle_ids):
            return owner
        raise ValueError("vehicleIds belong to several accounts; set email, or grant them one by one")
    size = _count(body) or 1
    matching = [
        each
        for each in simulation.fleet.accounts.values()
        if make in (None, each.make) and len(each.vehicle_ids) >= size
    ]
    unconnected = [each for each in matching if not simulation.connections.select(user_id=each.user_id)]
    if not matching:
        return find_driver(simulation, make=make, email=f"{size}-vehicles@smartcar.com")
    return find_driver(simulation, make=make, email=(unconnected or matching)[0].email)


def _count(body: dict[str, Any]) -> int | None:
    count = body.get("count")
    if count is None:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError("count must be a whole number, 1 or more")
    return count


def _grant(simulation: Simulation, session: Session, body: dict[str, Any]) -> str | None:
    matching, ineligible = flow.eligible(simulation, session)
    if not matching:
        return flow.end_with_error(
            session,
            "vehicle_incompatible" if ineligible else "no_vehicles",
            vehicle=next(iter(ineligible), None),
        )
    ids = [each.id for each in matching]
    if body.get("vehicleIds"):
        missing = [each for each in body["vehicleIds"] if each not in ids]
        if missing:
            raise ValueError(f"not this account's vehicles: {', '.join(missing)}")
        ids = list(body["vehicleIds"])
    ids = ids[: 1 if session.single else _count(body)]
    return flow.grant(simulation, session, vehicle_ids=ids, scopes=body.get("scopes"))
