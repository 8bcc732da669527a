"""Cells of CSV files that a spreadsheet must not run."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(_FORMULA) else text
