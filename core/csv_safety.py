"""Protects CSV files against formulas that a spreadsheet would run."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(text: str) -> str:
    """Returns the text, prefixed with an apostrophe if it could be a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(_FORMULA) else text
