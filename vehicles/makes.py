"""How the makes write themselves; Smartcar writes them in capitals, with underscores for spaces."""

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
    """The make as Smartcar writes it: "mercedes-benz" is MERCEDES_BENZ."""
    return make.strip().upper().replace("-", "_").replace(" ", "_")


def make_name(make: str) -> str:
    """The make as people know it: MERCEDES_BENZ or "mercedes-benz" is Mercedes-Benz, TESLA is Tesla."""
    return _NAMES.get(make_key(make), make.replace("_", " ").title() if make.isupper() else make)
