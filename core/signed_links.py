"""Personal links: they open one page for whoever holds them, without an account.

The secret in the link is a signature over a random nonce, made with the site's key. The row keeps the nonce and
a hash of the secret: neither opens anything, and an e-mail can be written again from the row's id alone.
"""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.crypto import salted_hmac


def new_nonce() -> str:
    return secrets.token_hex(16)


def hash_of(secret: str) -> str:
    """What may be stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class PersonalLink(models.Model):
    """A row that a personal link opens. `view` is the name of the page's address, which takes the secret."""

    view = ""

    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The language of the page and of its e-mail; "" is the one that the reader's browser asks for.
    language = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def secret(self) -> str:
        """64 hexadecimal digits."""
        # The salt is part of every link that was ever sent: it keeps the module's first name.
        return salted_hmac(f"connect.links.{self.view}", self.nonce, algorithm="sha256").hexdigest()

    @property
    def path(self) -> str:
        return reverse(self.view, args=[self.secret])

    @property
    def url(self) -> str:
        """The whole address, secret included: for its holder only."""
        return f"{settings.SITE_URL}{self.path}"
