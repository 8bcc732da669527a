"""CSV files: safe against formulas, and on request in the form that Excel opens without an import dialog."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Characters with which spreadsheets recognize a formula (OWASP, "CSV Injection"), with their full-width forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Languages in which Excel expects decimal commas, and therefore semicolons between fields.
_DECIMAL_COMMA = ("de", "fr")
EXCEL = "excel"
"""The value of the query parameter `format` that requests a file for Excel."""


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a file is written. `start` is what it begins with; `delimiter` and `decimal` are single characters."""

    start: str = ""
    delimiter: str = ","
    decimal: str = "."

    def lines(self, rows: Iterable[Sequence[object]]) -> str:
        """Returns the rows as text. Texts that could be formulas begin with an apostrophe; numbers stay numbers."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter).writerows(map(self._cells, rows))
        return text.getvalue()

    def _cells(self, row: Sequence[object]) -> list[object]:
        return [self._cell(value) for value in row]

    def _cell(self, value: object) -> object:
        if isinstance(value, float):
            return str(value).replace(".", self.decimal)
        return escape_formula(value) if isinstance(value, str) else value


def layout_for(*, form: str, language: str) -> CsvLayout:
    """Returns Excel's layout for the language if `form` is EXCEL, with a byte order mark; else plain CSV in UTF-8."""
    if form != EXCEL:
        return CsvLayout()
    if language in _DECIMAL_COMMA:
        return CsvLayout("\ufeff", ";", ",")
    return CsvLayout("\ufeff")


def escape_formula(text: str) -> str:
    """Returns the text, prefixed with an apostrophe if it could be a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
