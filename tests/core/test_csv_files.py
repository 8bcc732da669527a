"""CSV files that spreadsheets open right and that run no formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_files import CsvLayout, escape_formula, layout_for


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1 °C", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_texts_that_could_be_formulas_begin_with_an_apostrophe(text: str) -> None:
    assert escape_formula(text) == f"'{text}"


def test_numbers_stay_numbers() -> None:
    assert CsvLayout().lines([(-1.5, -2, "a", None)]) == "-1.5,-2,a,\r\n"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "\ufeffCafé,-1.5\r\n"), ("de", "\ufeffCafé;-1,5\r\n"), ("fr", "\ufeffCafé;-1,5\r\n")],
)
def test_excel_gets_a_byte_order_mark_and_the_language_s_separators(language: str, expected: str) -> None:
    layout = layout_for(form="excel", language=language)
    assert layout.start + layout.lines([("Café", -1.5)]) == expected


def test_other_programs_get_plain_csv() -> None:
    layout = layout_for(form="", language="de")
    assert layout.start + layout.lines([("Café", -1.5)]) == "Café,-1.5\r\n"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_every_text_is_one_cell_in_every_layout(texts: list[str]) -> None:
    for layout in (CsvLayout(), layout_for(form="excel", language="de")):
        rows = list(csv.reader(io.StringIO(layout.lines([texts]), newline=""), delimiter=layout.delimiter))
        assert rows == [[escape_formula(text) for text in texts]] or texts == [""]
