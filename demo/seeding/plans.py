"""What the demo's fleets consist of. Only data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from accounts.models import Role, UnitSystem
from vehicles.models import PlaceKind


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a fleet, besides its owner."""

    name: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class PlannedPlace:
    name: str
    kind: PlaceKind
    latitude: float
    longitude: float
    radius: int = 200


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A fleet. `city` is that of its vehicles in the simulator.

    `vehicle_name` precedes a vehicle's number. Drivers and groups are given to vehicles in turn; a vehicle of the last
    group, the pool, has no driver. `low_battery` is the threshold of alerts in percent.
    """

    name: str
    slug: str
    city: str
    time_zone: str
    units: UnitSystem
    vehicle_name: str
    plate: str
    language: str = "en"
    low_battery: int = 20
    members: Sequence[Person] = ()
    drivers: Sequence[str] = ()
    groups: Sequence[str] = ()
    places: Sequence[PlannedPlace] = ()
    invited_drivers: Sequence[tuple[str, str]] = ()
    invited_member: str = ""
    views: Sequence[tuple[str, str]] = ()
    reasons: Sequence[str] = ()


# Places where the simulator's vehicles go with the demo's seed. In Munich they are the same ones, moved there.
_SHIFT: Final = (48.1425 - 37.756, 11.5725 + 122.441)


def _in_munich(place: PlannedPlace, name: str) -> PlannedPlace:
    return PlannedPlace(
        name,
        place.kind,
        round(place.latitude + _SHIFT[0], 5),
        round(place.longitude + _SHIFT[1], 5),
        place.radius,
    )


_SUNSET = PlannedPlace("Depot Sunset", PlaceKind.DEPOT, 37.76819, -122.49912)
_VISITACION = PlannedPlace("Depot Visitacion Valley", PlaceKind.DEPOT, 37.71414, -122.41533)
_PRESIDIO = PlannedPlace("Depot Presidio", PlaceKind.DEPOT, 37.79214, -122.45994)
_LAKESIDE = PlannedPlace("Depot Lakeside", PlaceKind.DEPOT, 37.71485, -122.47313)
_PARKSIDE = PlannedPlace("Charger Parkside", PlaceKind.CHARGER, 37.74029, -122.47696)
_HEIGHTS = PlannedPlace("Charger Pacific Heights", PlaceKind.CHARGER, 37.79128, -122.42973)
_SOMA = PlannedPlace("Charger SoMa", PlaceKind.CHARGER, 37.78271, -122.4026)

BAY_COURIERS: Final = FleetPlan(
    name="Bay Couriers",
    slug="bay-couriers",
    city="San Francisco",
    time_zone="America/Los_Angeles",
    units=UnitSystem.IMPERIAL,
    vehicle_name="Courier",
    plate="8{letters}{digits}",
    low_battery=25,
    members=(
        Person("Priya Raman", "priya@bay-couriers.example", Role.MANAGER),
        Person("Diego Santos", "diego@bay-couriers.example", Role.MANAGER),
        Person("Kim Larsen", "kim@bay-couriers.example", Role.VIEWER),
        Person("Tom Becker", "tom@bay-couriers.example", Role.VIEWER),
    ),
    drivers=(
        *("Amara Diallo", "Ben Ortiz", "Chloe Nguyen", "Dev Patel", "Elena Rossi", "Farid Khan"),
        *("Grace Okoye", "Hector Ruiz", "Isla Murphy", "Jamal Carter", "Keiko Tanaka", "Liam Walsh"),
        *("Maya Cohen", "Noah Kim", "Olivia Brown", "Pablo Vega", "Quinn Harper", "Rosa Delgado"),
        *("Sofia Marin", "Tariq Aziz", "Uma Iyer", "Victor Hale", "Wendy Zhao", "Yusuf Demir"),
    ),
    groups=("North", "Downtown", "Sunset", "South", "Pool"),
    places=(
        *(_SUNSET, _VISITACION, _PRESIDIO, _LAKESIDE, _PARKSIDE, _HEIGHTS, _SOMA),
        PlannedPlace("Ferry Building Market", PlaceKind.CUSTOMER, 37.7929, -122.4012, 250),
        PlannedPlace("Mission Bakery", PlaceKind.CUSTOMER, 37.7599, -122.4148, 250),
        PlannedPlace("Castro Pharmacy", PlaceKind.CUSTOMER, 37.7620, -122.4350, 250),
        PlannedPlace("Stonestown Mall", PlaceKind.CUSTOMER, 37.7285, -122.4768, 300),
        PlannedPlace("Repair shop Bayview", PlaceKind.OTHER, 37.7330, -122.4010, 150),
    ),
    invited_drivers=(
        ("Grace Liu", "grace.liu@drivers.example"),
        ("Hugo Martin", "hugo.martin@drivers.example"),
    ),
    invited_member="robin@bay-couriers.example",
    views=(
        ("Charging now", "show=charging"),
        ("Left unlocked", "show=unlocked"),
        ("Low, lowest first", "show=low&sort=energy"),
        ("Pool vehicles", "group=Pool"),
    ),
    reasons=("Parcel left inside", "Driver locked out", "Handover to the next shift", "Cleaning crew"),
)

ISAR_KURIERE: Final = FleetPlan(
    name="Isar Kuriere",
    slug="isar-kuriere",
    city="Munich",
    time_zone="Europe/Berlin",
    units=UnitSystem.METRIC,
    vehicle_name="Kurier",
    plate="M-IK {digits}",
    language="de",
    members=(
        Person("Greta Huber", "greta@isar-kuriere.example", Role.OWNER),
        Person("Jonas Bauer", "jonas@isar-kuriere.example", Role.MANAGER),
        Person("Lena Vogt", "lena@isar-kuriere.example", Role.VIEWER),
    ),
    drivers=(
        *(
            "Anton Maier",
            "Birgit Schuster",
            "Cem Yılmaz",
            "Dorothea Lindner",
            "Emil Kraus",
            "Franziska Wöhrle",
        ),
        *("Georg Baumgartner", "Hanna Seidl"),
    ),
    groups=("Nord", "Mitte", "Süd", "Reserve"),
    places=(
        _in_munich(_SUNSET, "Depot Neuhausen"),
        _in_munich(_VISITACION, "Depot Giesing"),
        _in_munich(_PRESIDIO, "Depot Milbertshofen"),
        _in_munich(_LAKESIDE, "Depot Sendling"),
        _in_munich(_PARKSIDE, "Ladepark Westend"),
        _in_munich(_HEIGHTS, "Ladepark Schwabing"),
        PlannedPlace("Viktualienmarkt", PlaceKind.CUSTOMER, 48.1351, 11.5763, 200),
        PlannedPlace("Apotheke Haidhausen", PlaceKind.CUSTOMER, 48.1307, 11.5995, 200),
    ),
    invited_drivers=(("Ingrid Pöschl", "ingrid.poeschl@drivers.example"),),
    views=(("Lädt gerade", "show=charging"), ("Reserve", "group=Reserve")),
    reasons=("Paket im Fahrzeug vergessen", "Fahrerwechsel", "Reinigung"),
)

HARBOR_RENTALS: Final = FleetPlan(
    name="Harbor Rentals",
    slug="harbor-rentals",
    city="San Francisco",
    time_zone="America/Los_Angeles",
    units=UnitSystem.IMPERIAL,
    vehicle_name="Rental",
    plate="7{letters}{digits}",
    places=(_PARKSIDE,),
)
