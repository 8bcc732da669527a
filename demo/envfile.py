"""`var/demo.env`: the demo's settings and generated secrets as NAME=value lines, for a shell and for `ENV_FILE`."""

from __future__ import annotations

import os
import secrets
import shlex
import uuid
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from demo.ports import HOST, Ports

_HEADER = """\
# Settings and secrets of the demo, created by `make demo`. They work for this demo only.
# To run a command against the demo: ENV_FILE=var/demo.env .venv/bin/python manage.py shell
# Addresses are updated at each start; secrets and lines added by hand stay.
"""


def update(
    path: Path, *, ports: Ports, servers: Mapping[str, str], vehicles: int, api_version: str
) -> dict[str, str]:
    """Writes the file for this start and returns all its values.

    Secrets generated earlier and lines added by hand are retained. `servers` contains `DATABASE_URL` and `REDIS_URL`.
    Only a new demo gets a history and a fleet in Munich: the simulator of an existing one must stay the same.
    """
    existing = read(path)
    new = {} if existing else {"DEMO_HISTORY_DAYS": "60", "DEMO_MUNICH_VEHICLES": str(_munich(vehicles))}
    values = _generated() | new | existing | _derived(ports) | dict(servers)
    values["DEMO_EMAIL_FOLDER"] = str(path.parent / "emails")
    values |= {"DEMO_VEHICLES": str(vehicles), "SMARTCAR_API_VERSION": api_version}
    # The name before 0.2.0, for scripts that read the file.
    values["SMARTCAR_GENERATION"] = api_version
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in values.items()]
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(_HEADER + "".join(lines))
    temporary.replace(path)
    return values


def read(path: Path) -> dict[str, str]:
    """Returns the values in the file; empty if there is no file."""
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


def _munich(vehicles: int) -> int:
    """Returns the number of vehicles in Munich: a third, at most 8."""
    return min(8, max(1, vehicles // 3))


def _generated() -> dict[str, str]:
    return {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "SMARTCAR_APPLICATION_ID": str(uuid.uuid4()),
        "SMARTCAR_APPLICATION_SECRET": str(uuid.uuid4()),
        "SMARTCAR_CLIENT_ID": f"client_{secrets.token_hex(8)}",
        "SMARTCAR_CLIENT_SECRET": secrets.token_hex(32),
        "SMARTCAR_MANAGEMENT_TOKENS": str(uuid.uuid4()),
        "SMARTCAR_WEBHOOK_ID": str(uuid.uuid4()),
        "DEMO_EMAIL": "morgan@bay-couriers.example",
        "DEMO_PASSWORD": _password(),
        "DEMO_OTHER_EMAIL": "sam@harbor-rentals.example",
        "DEMO_OTHER_PASSWORD": _password(),
    }


def _derived(ports: Ports) -> dict[str, str]:
    site = f"http://{HOST}:{ports.web}"
    simulator = f"http://{HOST}:{ports.simulator}"
    return {
        "DEMO": "true",
        "DEBUG": "false",
        "SITE_URL": site,
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "CSRF_TRUSTED_ORIGINS": f"{site},http://localhost:{ports.web}",
        "SMARTCAR_MODE": "simulated",
        # Like the limits of the demo's simulator (demo.services).
        "SMARTCAR_REQUEST_BUCKET": "10000",
        "SMARTCAR_REQUEST_REFILL": "10000",
        "SMARTCAR_CONNECT_ORIGIN": f"{simulator}/connect",
        "SMARTCAR_AUTH_ORIGIN": f"{simulator}/auth/oauth/token",
        "SMARTCAR_API_ORIGIN": f"{simulator}/api",
        "SMARTCAR_MANAGEMENT_API_ORIGIN": f"{simulator}/management",
        "SMARTCAR_VEHICLE_API_V3_ORIGIN": f"{simulator}/vehicle",
        "SMARTCAR_IAM_ORIGIN": f"{simulator}/iam",
        "SMARTCAR_MANAGEMENT_API_V3_ORIGIN": f"{simulator}/management-v3",
        "SMARTCAR_COMPATIBILITY_ORIGIN": f"{simulator}/compatibility",
    }


def _password() -> str:
    """Returns a password of 64 random bits, in groups that are easy to type."""
    return "-".join(secrets.token_hex(2) for _ in range(4))
