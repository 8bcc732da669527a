import pytest

from vehicles.makes import make_name


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("TESLA", "Tesla"),
        ("MERCEDES_BENZ", "Mercedes-Benz"),
        ("mercedes-benz", "Mercedes-Benz"),
        ("BMW", "BMW"),
        ("", ""),
    ],
)
def test_make_is_displayed_in_its_own_spelling(wire: str, name: str) -> None:
    assert make_name(wire) == name
