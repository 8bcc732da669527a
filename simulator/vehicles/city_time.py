"""City time, UTC-8 all year unless SIMULATOR_CITY_HOURS sets another offset, and days counted from January 1, 1970."""

import os
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 86_400.0
CITY_TIME: Final = float(os.environ.get("SIMULATOR_CITY_HOURS", "-8")) * HOUR


def weekday(day: int) -> int:
    """Return the weekday of a day's number. 0 is Monday."""
    return (day + 3) % 7
