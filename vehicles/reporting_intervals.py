"""How often vehicles of each make report, from Smartcar's documentation ("Data Freshness Frequencies").

Smartcar's table has a range for each make, of which the longer end is used here, and that of the slower region if
regions differ. It is the initial value for the interval measured per vehicle (webhooks.silence_monitor). No database.
"""

from datetime import timedelta

from vehicles.makes import make_key

_MINUTES: dict[int, str] = {
    3: "BYD POLESTAR VOLVO",
    5: "AUDI HYUNDAI KIA RIVIAN TESLA",
    10: (
        "ALFA_ROMEO BMW CHRYSLER CITROEN CUPRA DODGE DS FIAT FORD INFINITI JEEP LEXUS LINCOLN MAZDA MERCEDES_BENZ"
        " NISSAN OPEL PEUGEOT RAM SUBARU VAUXHALL VOLKSWAGEN"
    ),
    30: "HONDA JAGUAR LAND_ROVER",
    45: "BUICK CADILLAC CHEVROLET GMC",
    60: "ACURA DACIA MG MINI PORSCHE RENAULT SKODA TOYOTA",
}
_BY_MAKE = {make: timedelta(minutes=minutes) for minutes, makes in _MINUTES.items() for make in makes.split()}
# "While our slowest data rates for all OEMs is an hour …"
_SLOWEST = timedelta(hours=1)


def documented_interval(make: str) -> timedelta:
    """Returns the longest interval between deliveries of an awake vehicle of this make; an hour for other makes."""
    return _BY_MAKE.get(make_key(make), _SLOWEST)
