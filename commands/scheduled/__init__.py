"""Scheduled commands: this site sends a command to chosen vehicles once, or weekly at a time of day.

Not the vehicles' own charge schedules (commands.schedules).
"""
