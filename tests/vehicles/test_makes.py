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
def test_a_make_is_written_as_it_writes_itself(wire: str, name: str) -> None:
    assert make_name(wire) == name
