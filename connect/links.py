"""Where published migrations find what has moved to core.signed_links."""

from core.signed_links import new_nonce as new_nonce
