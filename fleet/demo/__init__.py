"""`make demo`: the whole product on this machine, under one supervisor.

`python -m fleet.demo` starts it and stays until Ctrl-C, SIGTERM or SIGHUP; `python -m fleet.demo stop` stops one.
All it keeps is under `var/`.
"""
