"""How a battery charges: constant power up to 80 %, then less and less."""

import math
from typing import Final

KNEE: Final = 80.0
EFFICIENCY: Final = 0.92
_AC_TAPER: Final = 0.025  # Part of the power lost with each percent above the knee.
_DC_TAPER: Final = 0.042


def _taper(fast: bool) -> float:
    return _DC_TAPER if fast else _AC_TAPER


def power_at(soc: float, *, kw: float, fast: bool) -> float:
    """Return the charging power in kW at this state of charge (percent)."""
    return kw * (1.0 - _taper(fast) * max(0.0, min(soc, 100.0) - KNEE))


def percent_per_second(*, kw: float, battery: float) -> float:
    """Return the state of charge gained in a second below the knee. ``battery`` is in kWh."""
    return kw * EFFICIENCY / battery * 100.0 / 3600.0


def charged(soc: float, *, seconds: float, kw: float, battery: float, fast: bool) -> float:
    """Return the state of charge after charging for some seconds, never above 100."""
    rate = percent_per_second(kw=kw, battery=battery)
    if soc < KNEE:
        to_knee = (KNEE - soc) / rate
        if seconds <= to_knee:
            return soc + seconds * rate
        soc, seconds = KNEE, seconds - to_knee
    taper = _taper(fast)
    left = 1.0 / taper - (soc - KNEE)
    return min(100.0, KNEE + 1.0 / taper - left * math.exp(-taper * rate * seconds))


def seconds_to_charge(soc: float, target: float, *, kw: float, battery: float, fast: bool) -> float:
    """Return the seconds until the target is reached, 0 if it is reached already."""
    if target <= soc:
        return 0.0
    rate = percent_per_second(kw=kw, battery=battery)
    seconds = 0.0
    if soc < KNEE:
        below = min(target, KNEE)
        seconds = (below - soc) / rate
        soc = below
    if target > soc:
        taper = _taper(fast)
        seconds += math.log((1.0 / taper - (soc - KNEE)) / (1.0 / taper - (target - KNEE))) / (taper * rate)
    return seconds
