"""Signed links: addresses that open one page without an account.

The token in the link is a signature over a random nonce, made with the site's key. The row stores the nonce and a
hash of the token; neither is enough to open the page, and an email can be rendered again from the row's id alone.
"""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.crypto import salted_hmac


def new_nonce() -> str:
    """A random nonce of 32 hexadecimal digits."""
    return secrets.token_hex(16)


def hash_token(token: str) -> str:
    """The hash of a link's token, which may be stored."""
    return hashlib.sha256(token.encode()).hexdigest()


class SignedLink(models.Model):
    """A row with a signed link to a page. `view` is the URL name of the page, whose argument is the token."""

    view = ""

    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The language of the page and its email; "" is the browser's language.
    language = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def secret(self) -> str:
        """64 hexadecimal digits."""
        # All links sent so far depend on this salt, so it still contains the module's first name.
        return salted_hmac(f"connect.links.{self.view}", self.nonce, algorithm="sha256").hexdigest()

    @property
    def path(self) -> str:
        return reverse(self.view, args=[self.secret])

    @property
    def url(self) -> str:
        """The absolute address including the token: for its recipient only."""
        return f"{settings.SITE_URL}{self.path}"
