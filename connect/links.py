"""Where published migrations find what has moved to accounts.links."""

from accounts.links import new_nonce as new_nonce
