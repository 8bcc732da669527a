"""`make demo`: runs the whole product on this machine, under one supervisor.

`python -m demo` starts the demo and runs until Ctrl-C, SIGTERM or SIGHUP; `python -m demo stop` stops a running demo.
All data is stored in `var/`.
"""
