"""Users and their preferences."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Creates users identified by email address."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Lowercases the address, so that Jane@ and jane@ can't be two accounts."""
        return super().normalize_email(email).lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Ignores the address's case on sign-in."""
        return self.get(email__iexact=username)


class Theme(models.TextChoices):
    """The color themes."""

    SYSTEM = "", _("System")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A user, who signs in by email. `language` is one of settings.LANGUAGES, or "" for the browser's language."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    language = models.CharField(max_length=7, blank=True)
    theme = models.CharField(max_length=5, choices=Theme.choices, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the user, and keeps allauth's row for the address in sync."""
        from accounts import email_addresses  # its model needs the app registry

        super().save(*args, **kwargs)
        only = kwargs.get("update_fields")
        if only is None or "email" in only:
            email_addresses.sync_primary(user=self)
