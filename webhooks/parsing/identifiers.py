"""Finds what may identify a vehicle in a body that can't be read."""

import re

# IDs of Smartcar have 36 characters, VINs 17.
_WORD = re.compile(rb"[A-Za-z0-9_-]{12,128}")


def possible_identifiers(body: bytes) -> set[str]:
    """Returns the words in the body that may be the ID or the VIN of a vehicle."""
    return {word.decode() for word in _WORD.findall(body)}
