"""Users, fleets, memberships and the audit log."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
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
        from accounts import email_addresses  # imports this model

        super().save(*args, **kwargs)
        only = kwargs.get("update_fields")
        if only is None or "email" in only:
            email_addresses.sync_primary(user=self)


class SmartcarApiVersion(models.TextChoices):
    """The two supported versions of Smartcar's API."""

    V2 = "v2", _("v2 (one token pair per driver)")
    V3 = "v3", _("v3 (one application token)")


class UnitSystem(models.TextChoices):
    METRIC = "metric", _("Metric")
    IMPERIAL = "imperial", _("Imperial")


class Onboarding(models.TextChoices):
    """The state of a fleet's setup checklist: not opened yet, shown to managers, or closed."""

    NEW = "", "New"
    OPEN = "open", "Open"
    OVER = "over", "Over"


class Fleet(models.Model):
    """A group of vehicles with its own members and settings. All data about vehicles belongs to exactly one fleet."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    api_version = models.CharField(
        db_column="generation",
        max_length=2,
        choices=SmartcarApiVersion.choices,
        default=SmartcarApiVersion.V3,
    )
    unit_system = models.CharField(max_length=8, choices=UnitSystem.choices, default=UnitSystem.METRIC)
    time_zone = models.CharField(max_length=64, default="UTC")
    raw_retention_months = models.PositiveSmallIntegerField(
        "keep raw readings for (months)",
        db_column="readings_kept_months",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="From 1 to 120. Older readings are permanently deleted within an hour.",
    )
    rollup_retention_months = models.PositiveSmallIntegerField(
        "keep hourly and daily summaries for (months)",
        db_column="rollups_kept_months",
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="From 1 to 120. Older summaries are permanently deleted within an hour.",
    )
    onboarding = models.CharField(max_length=4, choices=Onboarding.choices, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="fleets")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    VIEWER = "viewer", _("Viewer")
    DRIVER = "driver", _("Driver")


class Membership(models.Model):
    """A user's role in one fleet."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fleet", "user"], name="accounts_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.fleet}: {self.get_role_display()}"


class AuditLogEntry(models.Model):
    """Who did what in a fleet, and when (accounts.audit). Written once, never changed.

    An object is identified by kind and ID instead of a foreign key, because most objects belong to apps above this one,
    and an entry outlives its object.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="audit_entries")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    event = models.CharField(max_length=48, db_default="")
    object_type = models.CharField(max_length=24, blank=True, default="", db_default="")
    object_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    data = models.JSONField(blank=True, default=dict, db_default={})
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "accounts_auditentry"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["fleet", "-at"], name="accounts_audit_recent"),
            models.Index(fields=["fleet", "object_type", "object_id", "-at"], name="accounts_audit_object"),
        ]
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"

    def __str__(self) -> str:
        return f"{self.event} {self.object_type} {self.object_id}".strip()


# Models of this app that are defined in other modules.
from accounts.members.models import MemberInvitation as MemberInvitation  # noqa: E402
from accounts.tokens.models import ApiToken as ApiToken  # noqa: E402
