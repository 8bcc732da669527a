"""Vehicle identification numbers with a valid check digit (49 CFR 565, ISO 3779)."""

_VALUES = dict(
    zip(
        "0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
        (*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)),
        strict=True,
    )
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"


def check_digit(vin: str) -> str:
    """Return the check digit (position 9) of a 17-character VIN, whatever is in position 9."""
    remainder = sum(_VALUES[letter] * weight for letter, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def build_vin(*, manufacturer: str, description: str, year: int, plant: str, serial: int) -> str:
    """Return a VIN of manufacturer code (3), description (5), model year, plant (1) and serial number."""
    draft = f"{manufacturer}{description}0{_YEARS[(year - 2010) % 30]}{plant}{serial % 1_000_000:06d}"
    return draft[:8] + check_digit(draft) + draft[9:]
