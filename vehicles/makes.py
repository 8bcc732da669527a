"""The spelling of makes. Smartcar uses capitals, with underscores instead of spaces."""

_NAMES = {
    "ALFA_ROMEO": "Alfa Romeo",
    "BMW": "BMW",
    "BYD": "BYD",
    "CITROEN": "Citroën",
    "DS": "DS",
    "GMC": "GMC",
    "JAGUAR": "Jaguar",
    "LAND_ROVER": "Land Rover",
    "MERCEDES_BENZ": "Mercedes-Benz",
    "MG": "MG",
    "MINI": "MINI",
    "NIO": "NIO",
    "RAM": "RAM",
    "SKODA": "Škoda",
    "SMART": "smart",
}


def make_key(make: str) -> str:
    """Returns the make in Smartcar's spelling: MERCEDES_BENZ for "mercedes-benz"."""
    return make.strip().upper().replace("-", "_").replace(" ", "_")


def make_name(make: str) -> str:
    """Returns the make in its usual spelling: Mercedes-Benz for MERCEDES_BENZ or "mercedes-benz", Tesla for TESLA."""
    return _NAMES.get(make_key(make), make.replace("_", " ").title() if make.isupper() else make)
