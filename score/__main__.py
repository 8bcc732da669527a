"""`python -m score [--weeks DIR] [--simulator VEHICLESxWEEKS]`: measure how right the trips are.

`--weeks` scores the weeks in a folder, `--simulator` the vehicles of the simulator; without both, a few simulated
vehicles. Writes var/score/score.json, a page beside it, and with `--docs` the table in docs/accuracy.md. The peers run
if `make score` has installed them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from score import page, peers
from score.results import score
from score.simulated import weeks as simulated_weeks
from score.thinning import VARIANTS
from score.weeks import load

_ROOT = Path(__file__).resolve().parent.parent
_OUTPUT = _ROOT / "var" / "score"
_DEFAULT_SIMULATOR = "6x1"


def main() -> int:
    """Entry point."""
    args = _arguments()
    with_peers = not args.no_peers
    if with_peers and not peers.installed():
        print(f"The peers aren't installed in {peers.PYTHON.parent.parent}, so only our trips are scored.")
        with_peers = False
    seeds = [str(seed + 1) for seed in range(args.seeds)]
    began = time.monotonic()
    results: dict[str, Any] = {}
    if args.weeks:
        weeks = load(args.weeks)
        results["weeks"] = score(weeks, variants=args.variants, seeds=seeds, with_peers=with_peers)
    if args.simulator or not args.weeks:
        vehicles, count = (int(number) for number in (args.simulator or _DEFAULT_SIMULATOR).split("x"))
        simulated = list(simulated_weeks(vehicles=vehicles, count=count))
        results["simulator"] = score(simulated, variants=args.variants, seeds=seeds[:1], with_peers=False)
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    (_OUTPUT / "score.json").write_text(json.dumps(results, indent=1))
    written = page.write(_OUTPUT, results)
    if args.docs:
        page.write_table(_ROOT / "docs" / "accuracy.md", results)
    print(f"{time.monotonic() - began:.0f} s. The report: {written}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m score", description="Measures how right the trips are.")
    parser.add_argument("--weeks", type=Path, metavar="DIR", help="a folder of NAME.csv and NAME.truth.json")
    parser.add_argument("--simulator", metavar="VEHICLESxWEEKS", help=f"as {_DEFAULT_SIMULATOR}")
    parser.add_argument("--seeds", type=int, default=2, help="how often each week is thinned (default: 2)")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS), metavar="VARIANT")
    parser.add_argument("--no-peers", action="store_true", help="score only our trips")
    parser.add_argument("--docs", action="store_true", help="write the table in docs/accuracy.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
