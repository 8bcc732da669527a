"""Derives from a request's URL its host, its vehicle, and how many API calls it counts as."""

import re
from dataclasses import asdict, dataclass

from smartcar_api import Origins
from smartcar_api.transport import Outgoing

TOKEN_HOSTS = frozenset({"auth", "iam"})
CALLED_HOSTS = ("auth", "api", "management", "iam", "vehicle", "management_v3", "compatibility")

_VEHICLE = re.compile(r"/v(?:2\.0|3)/vehicles/(?P<car>[^/?]+)(?P<path>/[^?]*)?")
# About a vehicle but not sent to it, so not billed ("Billing Limits" counts calls to a vehicle).
_NOT_BILLED = re.compile(r"/(?:permissions|webhooks/[^/]+|application)")


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is the host's name in `Origins`, `origin` its URL. `vehicle_id` is Smartcar's ID, or "".

    `billed` is the number of API calls that count toward the vehicle's monthly limit.
    """

    host: str
    origin: str
    vehicle_id: str = ""
    billed: int = 0

    @property
    def token(self) -> bool:
        """Whether the request is for a token."""
        return self.host in TOKEN_HOSTS


def parse_target(request: Outgoing, *, origins: Origins) -> Target:
    """Returns the target of the request. A URL outside of the origins has the host "other"."""
    host, origin = _host(request.url, origins)
    vehicle_id = _VEHICLE.match(request.url.removeprefix(origin)) if host in {"api", "vehicle"} else None
    if vehicle_id is None:
        return Target(host, origin)
    path = vehicle_id["path"] or ""
    # v3 stores a vehicle's attributes, while v2 requests them from the vehicle like any value.
    free = _NOT_BILLED.fullmatch(path) or (host == "vehicle" and not path)
    return Target(host, origin, vehicle_id["car"], 0 if free else request.parts)


def _host(url: str, origins: Origins) -> tuple[str, str]:
    matching = [(name, origin) for name, origin in asdict(origins).items() if url.startswith(origin)]
    return max(matching, key=lambda each: len(each[1]), default=("other", "/".join(url.split("/")[:3])))
