"""Names that published migrations import from here; they moved to core.signed_links."""

from core.signed_links import new_nonce as new_nonce
