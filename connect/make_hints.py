"""What drivers of a make have to know before they sign in: the connected service and package, and how to sign in.

Manufacturers change this, so the data has its sources and the day they were read. Names of services and packages are
the manufacturers' own and are not translated. Texts are English and are translated by the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_noop as _

from vehicles.makes import make_key, make_name

AS_OF = date(2026, 11, 29)
"""The day on which SOURCES were read."""
SOURCES = (
    "https://smartcar.com/docs/help/brand-subscriptions",
    "https://smartcar.com/docs/help/brand-quirks",
    "https://smartcar.com/docs/help/oem-integrations/mercedes/whats-new",
    "https://smartcar.com/docs/help/oem-integrations/vw/whats-new",
    "https://smartcar.com/docs/help/oem-integrations/bmw/energy-integration",
    "https://smartcar.com/docs/connect/other-actions/rivian-bluetooth-pairing",
)

EVERYWHERE = ""
EUROPE = _("Europe")
US = _("United States")
CANADA = _("Canada")
US_AND_CANADA = _("United States and Canada")
US_AND_EUROPE = _("United States and Europe")
EUROPE_AND_CANADA = _("Europe and Canada")


@dataclass(frozen=True, slots=True)
class Subscription:
    """The connected service that a car of the make needs in a region. `package` is "" if no special one is needed."""

    service: str
    region: str = EVERYWHERE
    package: str = ""


@dataclass(frozen=True, slots=True)
class MakeHints:
    """What to know about one make: its subscriptions, and sentences about signing in."""

    make: str
    subscriptions: tuple[Subscription, ...]
    sign_in: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The make in its usual spelling."""
        return make_name(self.make)


def hints_for(make: str) -> MakeHints | None:
    """Returns the hints for a make in any spelling; None if nothing is known about it."""
    key = make_key(make)
    return next((hints for hints in all_hints() if hints.make == key), None)


def all_hints() -> tuple[MakeHints, ...]:
    """Returns the hints for all makes, by name."""
    return _HINTS


_ONSTAR = (Subscription("OnStar", US_AND_CANADA, "Remote Access"),)
_UCONNECT = Subscription("Uconnect", US_AND_CANADA, "SiriusXM Guardian (Remote Package)")

_SUBSCRIPTIONS: Mapping[str, tuple[Subscription, ...]] = {
    "ACURA": (Subscription("AcuraLink", US_AND_CANADA, "Remote"),),
    "ALFA_ROMEO": (Subscription("My Alfa Connect", US_AND_EUROPE, "My Car, My Remote"),),
    "AUDI": (
        Subscription("myAudi", US, "CARE"),
        Subscription("Audi connect", EUROPE_AND_CANADA, "Remote"),
    ),
    "BMW": (Subscription("BMW Connected"),),
    "BUICK": _ONSTAR,
    "BYD": (Subscription("BYD Connected Services", EUROPE),),
    "CADILLAC": _ONSTAR,
    "CHEVROLET": _ONSTAR,
    "CHRYSLER": (_UCONNECT,),
    "CITROEN": (Subscription("My Citroën", EUROPE, "ë-remote"),),
    "CUPRA": (Subscription("CUPRA CONNECT", EUROPE, "Remote Access Services"),),
    "DACIA": (Subscription("My Dacia", EUROPE),),
    "DODGE": (_UCONNECT,),
    "DS": (Subscription("MyDS", EUROPE, "E-TENSE Remote"),),
    "FIAT": (
        Subscription("FIAT", EUROPE, "My Car, My Remote"),
        Subscription("FIAT Connect", US, "Assistance Package"),
    ),
    "FORD": (Subscription("FordPass"),),
    "GMC": _ONSTAR,
    "HONDA": (Subscription("HondaLink", US, "EV Access, Remote Access"),),
    "HYUNDAI": (Subscription("Hyundai Bluelink"),),
    "INFINITI": (Subscription("MyINFINITI", US),),
    "JAGUAR": (Subscription("Jaguar InControl"),),
    "JEEP": (
        _UCONNECT,
        Subscription("Jeep Connect", US_AND_CANADA, "SiriusXM Guardian (Remote Package)"),
    ),
    "KIA": (Subscription("Kia Access", US_AND_CANADA, "Plus"), Subscription("Kia Connect", EUROPE)),
    "LAND_ROVER": (Subscription("Land Rover InControl"),),
    "LEXUS": (Subscription("Lexus Enform", US_AND_CANADA, "Remote"),),
    "LINCOLN": (Subscription("Lincoln Way", US),),
    "MAZDA": (Subscription("MyMazda", US_AND_EUROPE),),
    "MERCEDES_BENZ": (Subscription("Mercedes me connect"),),
    "MINI": (Subscription("MINI Connected"),),
    "NISSAN": (
        Subscription("NissanConnect Services", US, "Convenience; Select (EV)"),
        Subscription("NissanConnect", EUROPE),
    ),
    "OPEL": (Subscription("myOpel", EUROPE, "e-Remote"),),
    "PEUGEOT": (Subscription("MYPEUGEOT", EUROPE, "E-REMOTE CONTROL"),),
    "POLESTAR": (Subscription("Polestar"),),
    "PORSCHE": (Subscription("My Porsche", US_AND_EUROPE),),
    "RAM": (
        _UCONNECT,
        Subscription("Ram Connect", US_AND_CANADA, "SiriusXM Guardian (Remote Package)"),
    ),
    "RENAULT": (Subscription("My Renault", EUROPE),),
    "RIVIAN": (Subscription("Rivian", US),),
    "SKODA": (Subscription("MyŠkoda", EUROPE, "Care Connect"),),
    "SUBARU": (
        Subscription("MySubaru", US, "STARLINK Security Plus"),
        Subscription("Solterra Connect", US, "Remote Connect (Solterra)"),
    ),
    "TESLA": (Subscription("Tesla"),),
    "TOYOTA": (Subscription("Toyota Connected Services", US_AND_CANADA, "Remote Connect"),),
    "VAUXHALL": (Subscription("myVauxhall", EUROPE, "e-Remote"),),
    "VOLKSWAGEN": (
        Subscription("Car-Net", US, "Remote Access"),
        Subscription("VW Connect, We Connect, We Connect ID", EUROPE),
    ),
    "VOLVO": (Subscription("Volvo Cars"),),
}

_PRIMARY_USER = _(
    "Sign in with the account of the car's primary user (key user). Other users can't share it."
)
_EMAIL_NOT_NAME = _(
    "Sign in with your email address. If you use a user name, first switch to your email address in the "
    "account settings of the manufacturer's app."
)
_PIN = _(
    "If the fleet asks to control charging, you'll need the PIN and the phone number that are set up in the "
    "manufacturer's app."
)
_UCONNECT_CHECK = _(
    "Check first that you see your car's data in Uconnect. If you see it only in Mopar, contact Uconnect's support."
)
_ONSTAR_CHECK = _(
    "Check first that the app shows the fuel or battery level, the odometer or the tire pressure. If it doesn't, "
    "you have an older plan that isn't enough."
)
_BMW_ADDRESS = _(
    "In Europe, BMW and MINI may ask you for the address where you charge. Charging data and commands then work "
    "only within about 200 m of that address."
)
_SIGN_IN: Mapping[str, tuple[str, ...]] = {
    "AUDI": (_PRIMARY_USER,),
    "BMW": (_BMW_ADDRESS,),
    "BYD": (
        _(
            "BYD allows one active session per account. Create a second BYD account for sharing and use it "
            "here: signing in to the BYD app with the same account ends the sharing."
        ),
    ),
    "BUICK": (_ONSTAR_CHECK,),
    "CADILLAC": (_ONSTAR_CHECK,),
    "CHEVROLET": (_ONSTAR_CHECK,),
    "CHRYSLER": (_UCONNECT_CHECK,),
    "CITROEN": (_PIN,),
    "DODGE": (_UCONNECT_CHECK,),
    "DS": (_PIN,),
    "FORD": (_EMAIL_NOT_NAME,),
    "GMC": (_ONSTAR_CHECK,),
    "JEEP": (_UCONNECT_CHECK,),
    "LINCOLN": (_EMAIL_NOT_NAME,),
    "MERCEDES_BENZ": (
        _("Have the vehicle identification number (VIN) at hand: Mercedes-Benz may ask for it."),
        _("In Europe, only battery electric and plug-in hybrid models can be connected."),
    ),
    "MINI": (_BMW_ADDRESS,),
    "NISSAN": (_("The MyNISSAN app may notify you that your car was found each time its location is read."),),
    "OPEL": (_PIN,),
    "PEUGEOT": (_PIN,),
    "RAM": (_UCONNECT_CHECK,),
    "RIVIAN": (
        _(
            "If two-factor sign-in is on for your account, you'll have to sign in again about every two weeks."
        ),
        _(
            "If the fleet asks to control the car, your phone is paired with it by Bluetooth: be at the car, "
            "with Bluetooth on."
        ),
    ),
    "TESLA": (
        _(
            "If remote access was turned on only recently, it can take up to a day before the car accepts requests."
        ),
    ),
    "VAUXHALL": (_PIN,),
    "VOLKSWAGEN": (
        _PRIMARY_USER,
        _("In the United States, you'll sign in on Volkswagen's own page and accept its terms."),
        _("ID models of 2021 and some of 2022 need vehicle software version 3 or later."),
    ),
    "VOLVO": (
        _(
            "Sign in with your email address. If your account has only a phone number, first add an email address "
            "on Volvo's website."
        ),
        _(
            "Most models from 2023 on, and several from 2021 and 2022, can't be connected, even though the Volvo "
            "app shows them."
        ),
    ),
}
_HINTS = tuple(
    sorted(
        (
            MakeHints(make, subscriptions, _SIGN_IN.get(make, ()))
            for make, subscriptions in _SUBSCRIPTIONS.items()
        ),
        key=lambda hints: hints.make,
    )
)
