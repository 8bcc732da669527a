"""The models of the simulated fleet: 40 rows, so that a fleet of 40 vehicles has each of them.

Capacities, ranges, tanks and charging powers are the published ones, rounded. The manufacturer's code and the
vehicle's description begin the VIN. Electric range and capacity give the consumption.
"""

from dataclasses import dataclass
from typing import Literal

Powertrain = Literal["BEV", "PHEV", "ICE"]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """``battery`` in gross kWh, ``range_km`` electric, ``tank`` in liters, ``economy`` in liters per 100 km."""

    make: str
    name: str
    powertrain: Powertrain
    years: tuple[int, int]
    manufacturer_code: str
    description: str
    plant: str
    body: Literal["car", "suv", "van", "truck"]
    trims: tuple[str, ...]
    battery: float = 0.0
    range_km: float = 0.0
    ac_kw: float = 0.0
    dc_kw: float = 0.0
    tank: float = 0.0
    economy: float = 0.0
    other_batteries: tuple[
        float, ...
    ] = ()  # Gross kWh of variants that the manufacturer's data doesn't distinguish.

    @property
    def electric(self) -> bool:
        return self.battery > 0

    @property
    def combustion(self) -> bool:
        return self.tank > 0

    @property
    def percent_per_km(self) -> float:
        """State of charge used on a kilometer."""
        return 100.0 / self.range_km if self.range_km else 0.0

    @property
    def fuel_percent_per_km(self) -> float:
        """Fuel level used on a kilometer."""
        return self.economy / self.tank if self.tank else 0.0

    @property
    def doors(self) -> tuple[int, int]:
        """Rows and columns of doors."""
        return (1, 2) if self.name in {"Transit", "E-Transit", "ProMaster", "Cooper SE"} else (2, 2)


def _bev(
    make: str, name: str, years: tuple[int, int], vin: str, body: Literal["car", "suv", "van", "truck"],
    trims: str, battery: float, range_km: float, ac_kw: float, dc_kw: float, *others: float,
) -> Model:  # fmt: skip
    return Model(
        make, name, "BEV", years, vin[:3], vin[3:8], vin[8], body, tuple(trims.split("|")),
        battery=battery, range_km=range_km, ac_kw=ac_kw, dc_kw=dc_kw, other_batteries=others,
    )  # fmt: skip


def _phev(
    make: str, name: str, years: tuple[int, int], vin: str, body: Literal["car", "suv", "van", "truck"],
    trims: str, battery: float, range_km: float, ac_kw: float, tank: float, economy: float,
) -> Model:  # fmt: skip
    return Model(
        make, name, "PHEV", years, vin[:3], vin[3:8], vin[8], body, tuple(trims.split("|")),
        battery=battery, range_km=range_km, ac_kw=ac_kw, tank=tank, economy=economy,
    )  # fmt: skip


def _ice(
    make: str, name: str, years: tuple[int, int], vin: str, body: Literal["car", "suv", "van", "truck"],
    trims: str, tank: float, economy: float,
) -> Model:  # fmt: skip
    return Model(
        make,
        name,
        "ICE",
        years,
        vin[:3],
        vin[3:8],
        vin[8],
        body,
        tuple(trims.split("|")),
        tank=tank,
        economy=economy,
    )


MODELS: tuple[Model, ...] = (
    # make, model, years, VIN (manufacturer 3, description 5, plant 1), body, trims, kWh, km, AC kW, DC kW, other kWh
    _bev("TESLA", "Model 3", (2020, 2026), "5YJ3E1EBF", "car", "Standard Range|Long Range", 75.0, 491, 11.5, 170),
    _bev("TESLA", "Model Y", (2022, 2026), "7SAYGDEEA", "suv", "Long Range|Performance", 81.0, 498, 11.5, 170),
    _bev("TESLA", "Model S", (2021, 2025), "5YJSA1E5F", "car", "Long Range|Plaid", 100.0, 637, 11.5, 200),
    _bev("FORD", "E-Transit", (2022, 2026), "1FTBW1YKK", "van", "Cargo Low Roof|Cargo High Roof", 68.0, 203, 11.3, 115),
    _bev("FORD", "Mustang Mach-E", (2021, 2026), "3FMTK3SUM", "suv", "Select|Premium", 91.0, 483, 10.5, 150, 72.0),
    _bev("FORD", "F-150 Lightning", (2022, 2025), "1FTVW1ELW", "truck", "Pro|XLT|Lariat", 131.0, 515, 11.3, 150, 98.0),
    _bev("CHEVROLET", "Bolt EV", (2020, 2023), "1G1FY6S04", "car", "1LT|2LT", 65.0, 417, 11.0, 55),
    _bev("CHEVROLET", "Equinox EV", (2024, 2026), "3GN7DNRPS", "suv", "LT|RS", 85.0, 513, 11.5, 150),
    _bev("CADILLAC", "LYRIQ", (2023, 2026), "1GYKPPRLZ", "suv", "Tech|Luxury", 102.0, 505, 11.5, 190),
    _bev("NISSAN", "LEAF", (2020, 2025), "1N4AZ1CVC", "car", "S|SV Plus", 62.0, 342, 6.6, 100, 40.0),
    _bev("VOLKSWAGEN", "ID.4", (2023, 2026), "1V2GNPE8C", "suv", "Standard|Pro S", 82.0, 443, 11.0, 135, 62.0),
    _bev("HYUNDAI", "IONIQ 5", (2022, 2026), "KM8KNDAFU", "suv", "SE|SEL|Limited", 77.4, 488, 10.9, 230, 58.0),
    _bev("KIA", "EV6", (2022, 2026), "KNDC4DLC5", "suv", "Wind|GT-Line", 77.4, 499, 10.9, 230),
    _bev("RIVIAN", "R1T", (2022, 2026), "7FCTGAAAN", "truck", "Adventure|Explore", 135.0, 505, 11.5, 210),
    _bev("RIVIAN", "R1S", (2022, 2026), "7PDSGABAN", "suv", "Adventure|Launch", 135.0, 508, 11.5, 210),
    _bev("BMW", "i4", (2022, 2026), "WBY73AW0F", "car", "eDrive40|M50", 83.9, 484, 11.0, 200),
    _bev("AUDI", "Q4 e-tron", (2022, 2026), "WA1LAAFZP", "suv", "Premium|Premium Plus", 82.0, 427, 11.0, 150),
    _bev("POLESTAR", "2", (2021, 2025), "LPSED3KAL", "car", "Single Motor|Dual Motor", 82.0, 454, 11.0, 155),
    _bev("VOLVO", "XC40 Recharge", (2022, 2025), "YV4ED3UR2", "suv", "Core|Plus|Ultimate", 78.0, 404, 11.0, 150),
    _bev("MERCEDES_BENZ", "EQE", (2023, 2025), "W1KEG2BBF", "car", "350+|500 4MATIC", 96.0, 491, 9.6, 170),
    _bev("MINI", "Cooper SE", (2020, 2024), "WMWXP3C02", "car", "Classic|Iconic", 32.6, 183, 7.4, 50),
    _bev("JAGUAR", "I-PACE", (2020, 2024), "SADHD2S11", "suv", "HSE|R-Dynamic", 90.0, 396, 11.0, 100),
    _bev("SUBARU", "Solterra", (2023, 2026), "JTMABABAD", "suv", "Premium|Touring", 72.8, 367, 6.6, 100),
    _bev("ACURA", "ZDX", (2024, 2024), "4W5KHNRLZ", "suv", "A-Spec|Type S", 102.0, 504, 11.5, 190),
    # … kWh, km, AC kW, tank liters, liters per 100 km
    _phev("TOYOTA", "RAV4 Prime", (2021, 2025), "JTMAB3FVD", "suv", "SE|XSE", 18.1, 68, 6.6, 55, 6.2),
    _phev("CHRYSLER", "Pacifica Hybrid", (2020, 2025), "2C4RC1L7R", "van", "Select|Pinnacle", 16.0, 51, 6.6, 63, 7.8),
    _phev("JEEP", "Wrangler 4xe", (2021, 2025), "1C4JJXP6W", "suv", "Sport S|Sahara|Rubicon", 17.3, 35, 7.2, 65, 11.8),
    _phev("BMW", "330e", (2021, 2024), "3MW5P7J08", "car", "330e|330e xDrive", 12.0, 37, 3.7, 40, 8.4),
    _phev("VOLVO", "XC60 Recharge", (2022, 2025), "YV4H60DL1", "suv", "Core|Plus|Ultimate", 18.8, 58, 3.7, 71, 8.4),
    _phev("LINCOLN", "Corsair", (2021, 2025), "5LMTJ5DZU", "suv", "Grand Touring", 14.4, 45, 3.7, 43, 7.1),
    _phev("KIA", "Niro PHEV", (2020, 2025), "KNDCD3LD5", "suv", "LX|EX Premium", 11.1, 53, 3.3, 42, 4.8),
    # … tank liters, liters per 100 km
    _ice("FORD", "Transit", (2020, 2026), "1FTBR1Y8K", "van", "Cargo T-250|Cargo T-350", 95, 14.7),
    _ice("RAM", "ProMaster", (2020, 2025), "3C6LRVBGE", "van", "1500|2500", 91, 15.1),
    _ice("GMC", "Sierra 1500", (2020, 2026), "1GTU9CETZ", "truck", "SLE|SLT|AT4", 91, 12.9),
    _ice("CHEVROLET", "Silverado 1500", (2020, 2026), "1GCUYDEDZ", "truck", "WT|LT", 91, 13.1),
    _ice("TOYOTA", "Camry", (2020, 2024), "4T1G11AKU", "car", "LE|SE", 60, 7.4),
    _ice("LEXUS", "NX 250", (2022, 2025), "2T2GDCAZC", "suv", "Base|Premium", 55, 8.4),
    _ice("NISSAN", "Rogue", (2021, 2025), "5N1BT3ABC", "suv", "S|SV", 55, 7.8),
    _ice("HONDA", "CR-V", (2020, 2025), "2HKRW2H5H", "suv", "LX|EX", 53, 7.8),
    _ice("MAZDA", "CX-5", (2020, 2025), "JM3KFBCM0", "suv", "Select|Preferred", 56, 9.0),
)  # fmt: skip

# Makes that are at home in Munich.
EUROPEAN: tuple[Model, ...] = tuple(
    model
    for model in MODELS
    if model.make in {"AUDI", "BMW", "MERCEDES_BENZ", "MINI", "POLESTAR", "VOLKSWAGEN", "VOLVO"}
)
