"""Client of Smartcar's compatibility API: which vehicles can be connected, and what they can report or do.

v3 lists models by region, without credentials; each signal has its permission there. v2 checks a VIN, only for vehicles
sold in the United States and only on Smartcar's Enterprise plan ("By VIN"). Both err on the side of compatibility.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from smartcar_api.errors import SmartcarError, not_sent, unreadable
from smartcar_api.json_access import parse_year, text_at, value_at
from smartcar_api.protocol import Credentials, Origins
from smartcar_api.transport import Answer, Gate, Transport

REGIONS = ("US", "CA", "EUROPE")
MODELS_PER_PAGE = 100
MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class CompatibleModel:
    """A model of a region. `signals` has the permission of each signal, `commands` has codes such as security-lock.

    `first_year` and `last_year` are model years; None if they aren't known. `powertrain` is ICE, BEV or PHEV, or "".
    """

    make: str
    model: str
    region: str
    powertrain: str
    first_year: int | None
    last_year: int | None
    signals: dict[str, str]
    commands: frozenset[str]


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether the vehicle is likely capable of what an endpoint of v2 returns or does; if not, Smartcar's reason."""

    permission: str
    endpoint: str
    capable: bool
    reason: str


@dataclass(frozen=True, slots=True)
class VinCompatibility:
    """Whether the vehicle with a VIN is likely compatible, and if not, Smartcar's reason."""

    compatible: bool
    reason: str
    capabilities: tuple[Capability, ...]


@dataclass(frozen=True, slots=True)
class CompatibilityApi:
    """The client of one application. The timeout is in seconds. Its calls raise only SmartcarError."""

    origins: Origins
    credentials: Credentials = field(repr=False)
    gate: Gate | None = None
    timeout: float = 15.0
    _transport: Transport = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_transport", Transport(gate=self.gate))

    def models(self, *, region: str, make: str) -> tuple[CompatibleModel, ...]:
        """Returns the models of a make (in Smartcar's spelling) that can be connected in a region, from all pages."""
        if region not in REGIONS:
            raise not_sent("the region is none of US, CA and EUROPE")
        entries = self._pages({"filter[region]": region, "filter[make]": make})
        # If Smartcar ignored a filter, it would list other models.
        return tuple(model for model in map(_model, entries) if (model.make, model.region) == (make, region))

    def check_vin(self, *, vin: str, permissions: Iterable[str], country: str = "US") -> VinCompatibility:
        """Returns whether the vehicle with this VIN is compatible, and capable of what the permissions allow (v2)."""
        credentials = self.credentials
        if not credentials.application_id or not credentials.application_secret:
            raise not_sent("the application id or the application secret is not set")
        answer = self._transport.send(
            "GET",
            f"{self.origins.api}/v2.0/compatibility",
            timeout=self.timeout,
            auth=(credentials.application_id, credentials.application_secret),
            params={"vin": vin, "scope": " ".join(permissions), "country": country},
        )
        body = answer.json()
        if not isinstance(body.get("compatible"), bool):
            raise _unreadable(answer, "it doesn't say whether the vehicle is compatible")
        listed = body.get("capabilities")
        return VinCompatibility(
            compatible=body["compatible"],
            reason=text_at(body, "reason"),
            capabilities=tuple(map(_capability, listed if isinstance(listed, list) else [])),
        )

    def _pages(self, filters: dict[str, str]) -> Iterator[dict[str, Any]]:
        url, seen = f"{self.origins.compatibility}/v3/compatible-vehicles", 0
        for number in range(1, MAX_PAGES + 1):
            page = {"page[number]": str(number), "page[size]": str(MODELS_PER_PAGE)}
            answer = self._transport.send("GET", url, timeout=self.timeout, params=filters | page)
            body = answer.json()
            entries = body.get("data")
            if not isinstance(entries, list):
                raise _unreadable(answer, "there is no list in it")
            yield from (entry for entry in entries if isinstance(entry, dict))
            seen += len(entries)
            total = value_at(body, "meta", "totalCount")
            if not entries or not (
                value_at(body, "links", "next") or (isinstance(total, int) and seen < total)
            ):
                return
        raise _unreadable(answer, "there is no end of pages")


def _model(entry: dict[str, Any]) -> CompatibleModel:
    known = value_at(entry, "attributes")
    listed = value_at(known, "capabilities")
    capabilities = [each for each in (listed if isinstance(listed, list) else []) if text_at(each, "code")]
    return CompatibleModel(
        make=text_at(known, "make"),
        model=text_at(known, "model"),
        region=text_at(known, "region"),
        powertrain=text_at(known, "powertrainType"),
        first_year=parse_year(value_at(known, "years", "start")),
        last_year=parse_year(value_at(known, "years", "end")),
        signals={
            text_at(each, "code").lower(): text_at(each, "permission")
            for each in capabilities
            if text_at(each, "type").lower() == "signal"
        },
        commands=frozenset(
            text_at(each, "code").lower()
            for each in capabilities
            if text_at(each, "type").lower() == "command"
        ),
    )


def _capability(entry: Any) -> Capability:
    return Capability(
        permission=text_at(entry, "permission"),
        endpoint=text_at(entry, "endpoint"),
        capable=value_at(entry, "capable") is True,
        reason=text_at(entry, "reason"),
    )


def _unreadable(answer: Answer, reason: str) -> SmartcarError:
    return unreadable(reason, status=answer.status, request_id=answer.request_id)
