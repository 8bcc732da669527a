"""Connects vehicles of the simulator to a fleet, through the real Connect flow."""

import secrets
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
from django.core.management.base import CommandError

from accounts.models import Fleet, User
from connect import oauth
from connect.models import Connection
from connect.oauth_errors import AuthorizationFailedError


class Accounts:
    """The vehicles of each manufacturer account in the simulator, without accounts that have connected vehicles."""

    def __init__(self, simulator: httpx.Client) -> None:
        self._simulator = simulator
        connected = set(Connection.objects.values_list("vehicle__smartcar_id", flat=True))
        by_account: dict[tuple[str, str], list[str]] = {}
        for vehicle in self._vehicles():
            by_account.setdefault((vehicle["city"], vehicle["account"]), []).append(vehicle["id"])
        self._free = {account: ids for account, ids in by_account.items() if not connected & set(ids)}

    def take(self, city: str) -> list[str] | None:
        """Returns the vehicles of the next account in this city, None if there is none left."""
        account = next((each for each in self._free if each[0] == city), None)
        return None if account is None else self._free.pop(account)

    def _vehicles(self) -> Iterator[dict[str, str]]:
        offset = 0
        while True:
            answer = self._simulator.get("/control/vehicles", params={"offset": offset}).raise_for_status()
            found = answer.json()["vehicles"]
            yield from found
            offset += len(found)
            if not found:
                return


def connect_vehicles(
    simulator: httpx.Client, accounts: Accounts, *, fleet: Fleet, owner: User, city: str, target: int
) -> int:
    """Connects vehicles until the fleet has `target` ones, or none is left. Returns how many it has."""
    count = Connection.objects.filter(fleet=fleet).count()
    while count < target:
        vehicle_ids = accounts.take(city)
        if vehicle_ids is None:
            break
        try:
            result = _run_connect_flow(
                simulator, fleet=fleet, owner=owner, vehicle_ids=vehicle_ids[: target - count]
            )
        except AuthorizationFailedError as refusal:
            raise CommandError(
                f"The simulator's vehicles couldn't be connected: {refusal.error.text}"
            ) from refusal
        count += len(result.connections)
    return count


def _run_connect_flow(
    simulator: httpx.Client, *, fleet: Fleet, owner: User, vehicle_ids: list[str]
) -> oauth.CallbackResult:
    session = secrets.token_urlsafe(32)
    url = oauth.start(fleet=fleet, user=owner, session_secret=session)
    response = simulator.post(
        "/control/grants", json={"url": url, "vehicleIds": vehicle_ids}
    ).raise_for_status()
    params = dict(parse_qsl(urlsplit(response.json()["redirect"]).query))
    return oauth.handle_callback(params=params, user=owner, session_secret=session)
