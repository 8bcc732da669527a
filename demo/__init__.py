"""`make demo`: the whole product on this machine, under one supervisor.

`python -m demo` starts it and stays until Ctrl-C, SIGTERM or SIGHUP; `python -m demo stop` stops one.
All it keeps is under `var/`.
"""
