"""`python -m bench [NAME ...] [--quick]`: run benchmarks, print figures, and write JSON and a page to var/bench/.

Without names, all run. The page shows the newest run of every benchmark. The exit code is 1 if a benchmark fails,
produces a wrong result or misses a target. A quick run only checks that everything works, so its targets for speed
don't count.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from bench import page
from bench.results import Figure, Run

_HERE = Path(__file__).resolve().parent
_OUTPUT = _HERE.parent / "var" / "bench"


def main() -> int:
    """Entry point."""
    known = sorted(path.stem for path in _HERE.glob("*.py") if _is_bench(path))
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures, on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all when left out")
    parser.add_argument("--quick", action="store_true", help="a short run, which proves nothing")
    parser.add_argument("--list", action="store_true", help="only print the names of the benches")
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if args.list:
        print("\n".join(known))
        return 0
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    passed = True
    for name in args.names or known:
        run = _run(name, quick=args.quick)
        passed = passed and run is not None and _passed(run)
        if run is not None:
            print(_table(run), flush=True)
    written = page.write(_OUTPUT)
    print(f"\nThe report: {written}")
    return 0 if passed else 1


def _passed(run: Run) -> bool:
    return run.result.correct if run.quick else run.result.met


def _is_bench(path: Path) -> bool:
    return re.search(r"^def run\(", path.read_text(), re.MULTILINE) is not None


def _run(name: str, *, quick: bool) -> Run | None:
    output = _OUTPUT / f"{name}.json"
    command = [sys.executable, "-m", "bench.child", name, str(output), *(["--quick"] if quick else [])]
    if subprocess.run(command, check=False).returncode != 0:
        print(f"The bench {name} failed.", file=sys.stderr)
        return None
    return Run.load(output.read_bytes())


def _table(run: Run) -> str:
    rows = [
        (figure.label, _number(figure.value), figure.unit, figure.target, _verdict(figure))
        for figure in run.result.figures
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    lines = [f"\n{run.result.title}{' (quick: proves nothing)' if run.quick else ''}, {run.seconds:.0f} s"]
    for label, value, *columns in rows:
        cells = [f"{label:<{widths[0]}}", f"{value:>{widths[1]}}"]
        cells += [f"{cell:<{width}}" for cell, width in zip(columns, widths[2:], strict=True)]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    lines += [f"  - {note}" for note in run.result.notes]
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.3g}"


def _verdict(figure: Figure) -> str:
    return {None: "", True: "met", False: "WRONG" if figure.exact else "MISSED"}[figure.met]


if __name__ == "__main__":
    sys.exit(main())
