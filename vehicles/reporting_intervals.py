"""How often cars of a make tell something, after Smartcar's documentation ("Data Freshness Frequencies").

The table has a range for each make; the longer end is taken. It is where the measuring of a car's own rhythm starts
(webhooks.silence_monitor). Where regions differ, the slower one is taken. No database.
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
    """The longest time between two deliveries of an awake car of this make; an hour for one that is not listed."""
    return _BY_MAKE.get(make_key(make), _SLOWEST)
