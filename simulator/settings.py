"""The simulator's settings: its command line, and the credentials in the environment."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from simulator.vehicles.city_time import CITY_TIME

# With --start HH:MM the vehicles start on this Wednesday, so that their day doesn't depend on the date of the run.
PLAN_DATE = date(2026, 11, 4)
VARIANTS = ("A", "B", "C", "C'", "D", "T", "T'", "legacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The four kinds of secret of a Smartcar application. The defaults are clearly not real ones."""

    application_id: str = "00000000-0000-4000-8000-000000000001"
    application_secret: str = field(default="simulated-application-secret", repr=False)
    client_id: str = "client_simulated"
    client_secret: str = field(default="simulated-client-secret", repr=False)
    management_tokens: tuple[str, ...] = field(default=("simulated-management-token",), repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Credentials":
        """Read SMARTCAR_APPLICATION_ID and the like. An unset or empty variable leaves the documented default."""
        names = ("application_id", "application_secret", "client_id", "client_secret")
        values = {name: environment.get(f"SMARTCAR_{name.upper()}", "") for name in names}
        tokens = environment.get("SMARTCAR_MANAGEMENT_TOKENS", "").split(",")
        management_tokens = tuple(token.strip() for token in tokens if token.strip())
        default = cls()
        return cls(
            application_id=values["application_id"] or default.application_id,
            application_secret=values["application_secret"] or default.application_secret,
            client_id=values["client_id"] or default.client_id,
            client_secret=values["client_secret"] or default.client_secret,
            management_tokens=management_tokens or default.management_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one run. Durations are in seconds, and rates per minute unless the name says otherwise."""

    host: str = "127.0.0.1"
    port: int = 9400
    public_origin: str = ""
    seed: int = 1
    vehicles: int = 40
    munich: int = 0
    speed: float = 1.0
    start: float | None = None
    plan_start: float | None = None
    hold_all: bool = False
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
        """Scheme, host and port at the start of links and resolution addresses."""
        return self.public_origin or f"http://{self.host}:{self.port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A stand-in for Smartcar on one port of this machine. See docs/simulator.md.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=int, default=9400, help="port to listen on (9400)")
    add("--public-origin", default="", help="origin of links, if not http://HOST:PORT")
    add("--seed", type=int, default=1, help="seed of the fleet: the same seed gives the same vehicles (1)")
    add("--vehicles", type=int, default=40, help="number of vehicles (40)")
    add("--munich", type=int, default=0, metavar="N", help="the last N vehicles are in Munich (0)")
    add("--speed", type=float, default=1.0, help="simulated seconds per second (1)")
    add(
        "--start",
        metavar="TIME",
        help="HH:MM: local time at which the vehicles' day starts, with the clock at the real time; "
        "an ISO time: where the clock starts, for repeatable runs (the real time)",
    )
    add(
        "--hold-all",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("SIMULATOR_HOLD_ALL", "").lower() in ("1", "true", "yes", "on"),
        help="hold every vehicle parked and locked from the start and after each reset (no)",
    )
    add("--state", type=Path, help="file that stores grants, tokens, subscriptions and vehicles")
    add("--redirect-uri", action="append", default=[], help="an allowed redirect URI; may be repeated")
    add(
        "--load",
        type=float,
        default=0.0,
        metavar="EVENTS_PER_SECOND",
        help="number of deliveries to send a second",
    )
    add(
        "--request-bucket",
        type=int,
        default=120,
        help="application limit: bucket size, 0 for none (120)",
    )
    add("--request-refill", type=float, default=2.0, help="application limit: requests refilled a minute (2)")
    add("--vehicle-bucket", type=int, default=30, help="per-vehicle limit: bucket size, 0 for none (30)")
    add("--vehicle-refill", type=float, default=6.0, help="per-vehicle limit: requests refilled a minute (6)")
    add("--monthly-limit", type=int, default=500, help="requests per vehicle and month, 0 for no limit (500)")
    add("--vehicle-limit", type=int, default=0, help="connected vehicles the plan allows, 0 for no limit (0)")
    add(
        "--driving-every",
        type=float,
        default=25.0,
        help="seconds between polls of a driving vehicle, 0 for none (25)",
    )
    add("--charging-every", type=float, default=60.0, help="the same for a charging vehicle (60)")
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
        help="let v3 reads accept a v2 access token too, which Smartcar's own SDKs send (yes)",
    )
    add(
        "--unsubscribed-signals",
        choices=("empty", "missing"),
        default="empty",
        help="v3 signals of an unsubscribed vehicle: 200 and empty, or 404 (empty)",
    )
    add(
        "--connection-permissions",
        choices=("granted", "all"),
        default="granted",
        help="permissions in v3 connections (granted)",
    )
    add(
        "--trouble",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a fault to start with; may be repeated",
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
        help="name of the user id in Connect's redirect (user_id)",
    )
    add(
        "--v3-signals",
        choices=("captured", "documented"),
        default="captured",
        help="v3 signals: ISO times in a data wrapper, or epoch milliseconds without (captured)",
    )
    add(
        "--v3-resolution",
        choices=("object", "string"),
        default="object",
        help="type of the resolution in a v3 error (object)",
    )
    add("--variant", choices=VARIANTS, default="D", help="default payload form of webhooks (D)")
    return parser


def _latency(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def _start(text: str | None) -> tuple[float | None, float | None]:
    """Return where the clock and where the daily plans start, in epoch seconds. None means the default.

    Raises:
        ValueError: The text is neither HH:MM nor an ISO time.
    """
    if not text:
        return None, None
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
        hour, minute = map(int, text.split(":"))
        local = datetime.combine(PLAN_DATE, time(hour, minute), tzinfo=UTC)
        return None, local.timestamp() - CITY_TIME
    return datetime.fromisoformat(text).timestamp(), None


def from_command_line(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line and the environment. Exits with a usage message if a flag is wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        latency = _latency(options.command_latency)
    except ValueError:
        parser.error("--command-latency must be seconds or MIN-MAX, for example 1-3")
    try:
        start, plan_start = _start(options.start)
    except ValueError:
        parser.error(
            "--start must be a local time such as 03:00 or an ISO time such as 2026-11-02T08:00:00+00:00"
        )
    if options.speed <= 0:
        parser.error("--speed must be above 0")
    values = vars(options) | {
        "redirect_uris": tuple(options.redirect_uri),
        "command_latency": latency,
        "start": start,
        "plan_start": plan_start,
        "faults": dict(each.partition("=")[::2] for each in options.trouble),
        "credentials": Credentials.from_environment(os.environ),
    }
    del values["redirect_uri"], values["trouble"]
    return Settings(**values)
