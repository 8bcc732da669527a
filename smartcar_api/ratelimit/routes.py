"""What a request is about, told from its address: the host, the car, and how many calls of that car's month it is."""

import re
from dataclasses import asdict, dataclass

from smartcar_api import Origins
from smartcar_api.transport import Outgoing

TOKEN_HOSTS = frozenset({"auth", "iam"})
CALLED_HOSTS = ("auth", "api", "management", "iam", "vehicle", "management_v3", "compatibility")

_CAR = re.compile(r"/v(?:2\.0|3)/vehicles/(?P<car>[^/?]+)(?P<path>/[^?]*)?")
# About a car, but never asked of the car: they are not billed ("Billing Limits" counts calls to a vehicle).
_NOT_BILLED = re.compile(r"/(?:permissions|webhooks/[^/]+|application)")


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is the name that `Origins` has for it, `origin` where that is. `car` is Smartcar's id of it, or "".

    `billed` is how many calls of the car's monthly allowance the request is.
    """

    host: str
    origin: str
    car: str = ""
    billed: int = 0

    @property
    def token(self) -> bool:
        """Whether it renews a token."""
        return self.host in TOKEN_HOSTS


def target_of(request: Outgoing, *, origins: Origins) -> Target:
    """What the request is about. An address of none of the origins is a host of its own."""
    host, origin = _host(request.url, origins)
    car = _CAR.match(request.url.removeprefix(origin)) if host in {"api", "vehicle"} else None
    if car is None:
        return Target(host, origin)
    path = car["path"] or ""
    # v3 knows a car's attributes by itself; v2 asks for them like for any value.
    free = _NOT_BILLED.fullmatch(path) or (host == "vehicle" and not path)
    return Target(host, origin, car["car"], 0 if free else request.parts)


def _host(url: str, origins: Origins) -> tuple[str, str]:
    known = [(name, origin) for name, origin in asdict(origins).items() if url.startswith(origin)]
    return max(known, key=lambda each: len(each[1]), default=("other", "/".join(url.split("/")[:3])))
