"""`python -m demo` runs the demo in the foreground; `python -m demo stop` stops a running one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from demo.errors import DemoError
from demo.start import Demo, print_line, run, stop
from embedded import ServerError

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["stop"]:
            stop(ROOT / "var")
        elif not arguments:
            run(Demo.from_environment(ROOT, os.environ))
        else:
            print_line("usage: python -m demo [stop]", sys.stderr)
            return 2
    except (DemoError, ServerError) as error:
        for line in (str(error), *(f"    {line}" for line in getattr(error, "details", ()))):
            print_line(line, sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
