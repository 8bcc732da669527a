"""What can be chosen about the simulator: its command line, and the credentials in the environment."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

VARIANTS = ("A", "B", "C", "C'", "D", "T", "legacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The four kinds of secret a Smartcar application holds. The defaults are plainly no real ones."""

    application_id: str = "00000000-0000-4000-8000-000000000001"
    application_secret: str = field(default="simulated-application-secret", repr=False)
    client_id: str = "client_simulated"
    client_secret: str = field(default="simulated-client-secret", repr=False)
    management_tokens: tuple[str, ...] = field(default=("simulated-management-token",), repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Credentials":
        """Read SMARTCAR_APPLICATION_ID and its like; an unset or empty one keeps the documented default."""
        names = ("application_id", "application_secret", "client_id", "client_secret")
        given = {name: environment.get(f"SMARTCAR_{name.upper()}", "") for name in names}
        tokens = environment.get("SMARTCAR_MANAGEMENT_TOKENS", "").split(",")
        held = tuple(token.strip() for token in tokens if token.strip())
        default = cls()
        return cls(
            application_id=given["application_id"] or default.application_id,
            application_secret=given["application_secret"] or default.application_secret,
            client_id=given["client_id"] or default.client_id,
            client_secret=given["client_secret"] or default.client_secret,
            management_tokens=held or default.management_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run of the simulator. Durations are seconds, rates per minute unless the name says otherwise."""

    host: str = "127.0.0.1"
    port: int = 9400
    public_origin: str = ""
    seed: int = 1
    vehicles: int = 40
    speed: float = 1.0
    start: float | None = None
    state: Path | None = None
    redirect_uris: tuple[str, ...] = ()
    load: float = 0.0
    faults: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)

    request_bucket: int = 120
    request_refill: float = 2.0
    vehicle_bucket: int = 30
    vehicle_refill: float = 6.0
    monthly_limit: int = 500
    vehicle_limit: int = 0

    driving_every: float = 25.0
    charging_every: float = 60.0
    command_latency: tuple[float, float] = (1.0, 3.0)
    long_answer_after: float = 175.0
    delivery_timeout: float = 15.0
    verify_timeout: float = 15.0
    refresh_reuse: float = 600.0

    v3_user_tokens: bool = True
    unsubscribed_signals: str = "empty"
    connection_permissions: str = "granted"
    subscriptions_path: str = "subscriptions"
    user_id_name: str = "user_id"
    v3_signals: str = "captured"
    v3_resolution: str = "object"
    variant: str = "D"

    @property
    def origin(self) -> str:
        """Scheme, host and port that links and resolution addresses start with."""
        return self.public_origin or f"http://{self.host}:{self.port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A stand-in for Smartcar on one port of this machine. docs/simulator.md tells the rest.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=int, default=9400, help="port to listen on (9400)")
    add("--public-origin", default="", help="origin to write into links, if not http://HOST:PORT")
    add("--seed", type=int, default=1, help="seed of the world: same seed, same cars (1)")
    add("--vehicles", type=int, default=40, help="how many cars there are (40)")
    add("--speed", type=float, default=1.0, help="simulated seconds per second (1)")
    add("--start", metavar="ISO_TIME", help="simulated time to start at, for repeatable runs (the real time)")
    add("--state", type=Path, help="file to keep grants, tokens, subscriptions and cars in")
    add("--redirect-uri", action="append", default=[], help="an allowed redirect URI; may be repeated")
    add(
        "--load",
        type=float,
        default=0.0,
        metavar="EVENTS_PER_SECOND",
        help="send this many deliveries a second",
    )
    add(
        "--request-bucket",
        type=int,
        default=120,
        help="application limit: requests at once, 0 for none (120)",
    )
    add("--request-refill", type=float, default=2.0, help="application limit: requests regained a minute (2)")
    add("--vehicle-bucket", type=int, default=30, help="per-vehicle limit: requests at once, 0 for none (30)")
    add("--vehicle-refill", type=float, default=6.0, help="per-vehicle limit: requests regained a minute (6)")
    add("--monthly-limit", type=int, default=500, help="requests per vehicle and month, 0 for no limit (500)")
    add("--vehicle-limit", type=int, default=0, help="connected vehicles the plan allows, 0 for no limit (0)")
    add(
        "--driving-every",
        type=float,
        default=25.0,
        help="seconds between looks at a driving car, 0 for none (25)",
    )
    add("--charging-every", type=float, default=60.0, help="the same for a charging car (60)")
    add("--command-latency", default="1-3", help="seconds a command takes, MIN-MAX (1-3)")
    add(
        "--long-answer-after",
        type=float,
        default=175.0,
        help="v3: answer 202 to commands slower than this (175)",
    )
    add("--refresh-reuse", type=float, default=600.0, help="seconds a used refresh token still works (600)")
    add(
        "--v3-user-tokens",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="v3 reads take a v2 access token too, as Smartcar's own SDKs send it (yes)",
    )
    add(
        "--unsubscribed-signals",
        choices=("empty", "missing"),
        default="empty",
        help="200 and empty, or 404 (empty)",
    )
    add(
        "--connection-permissions",
        choices=("granted", "all"),
        default="granted",
        help="v3 connections list (granted)",
    )
    add(
        "--trouble",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a trouble to start with; may be repeated",
    )
    add(
        "--subscriptions-path",
        choices=("subscriptions", "webhooks"),
        default="subscriptions",
        help="v3: /subscriptions, or /webhooks/{id}/subscriptions (subscriptions)",
    )
    add(
        "--user-id-name",
        choices=("user_id", "userId"),
        default="user_id",
        help="in Connect's redirect (user_id)",
    )
    add(
        "--v3-signals",
        choices=("captured", "documented"),
        default="captured",
        help="ISO times and a data wrapper, or epoch milliseconds and none (captured)",
    )
    add("--v3-resolution", choices=("object", "string"), default="object", help="of a v3 error (object)")
    add("--variant", choices=VARIANTS, default="D", help="payload form of webhooks that name none (D)")
    return parser


def _latency(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def from_command_line(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line and the environment. Exits with a usage line on a wrong flag."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        latency = _latency(given.command_latency)
    except ValueError:
        parser.error("--command-latency takes seconds or MIN-MAX, for example 1-3")
    try:
        start = datetime.fromisoformat(given.start).timestamp() if given.start else None
    except ValueError:
        parser.error("--start takes a time such as 2026-11-02T08:00:00+00:00")
    if given.speed <= 0:
        parser.error("--speed must be above 0")
    values = vars(given) | {
        "redirect_uris": tuple(given.redirect_uri),
        "command_latency": latency,
        "start": start,
        "faults": dict(each.partition("=")[::2] for each in given.trouble),
        "credentials": Credentials.from_environment(os.environ),
    }
    del values["redirect_uri"], values["trouble"]
    return Settings(**values)
