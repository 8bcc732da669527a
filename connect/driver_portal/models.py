"""The page that a driver keeps, and when a driver hides where the car is."""

from datetime import datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Fleet
from core.signed_links import SignedLink, hash_token

if TYPE_CHECKING:
    from connect.models import Connection


class DriverPortal(SignedLink):
    """One driver's page about the cars that they share with one fleet. Its link stays good until it is closed."""

    view = "connect:portal"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="driver_pages")
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128)
    driver_name = models.CharField("driver's name", max_length=80)
    driver_email = models.EmailField("driver's e-mail", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "connect_driverpage"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fleet", "smartcar_user_id"],
                name="connect_one_open_driver_page",
                condition=Q(revoked_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"Page of {self.driver_name} for {self.fleet}"

    @property
    def connections(self) -> "QuerySet[Connection]":
        """What this driver shares, or shared, with the fleet."""
        return self.fleet.connections.filter(smartcar_user_id=self.smartcar_user_id)

    @classmethod
    def from_token(cls, secret: str) -> "DriverPortal | None":
        """The page that this link opens, or None when there is none or it was closed."""
        found = cls.objects.select_related("fleet")
        return found.filter(secret_hash=hash_token(secret), revoked_at=None).first()


class LocationPause(models.Model):
    """A time in which a driver hides where a car is; without `ends_at` until the driver shows it again.

    Pauses that are over are kept: a car may later repeat the place where it stood meanwhile.
    """

    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, related_name="place_pauses"
    )
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_placepause"
        ordering = ["-began_at"]

    def __str__(self) -> str:
        return f"Place hidden from {self.began_at:%Y-%m-%d %H:%M}"

    def covers(self, moment: datetime) -> bool:
        return self.began_at <= moment and (self.ends_at is None or moment < self.ends_at)


class TrackingSchedule(models.Model):
    """Outside these hours, in the fleet's time zone, nobody is told where the car is."""

    connection = models.OneToOneField(
        "connect.Connection", on_delete=models.CASCADE, related_name="working_hours"
    )
    starts = models.TimeField()
    ends = models.TimeField()
    weekdays_only = models.BooleanField("Monday to Friday only", default=True)

    class Meta:
        db_table = "connect_workinghours"
        verbose_name_plural = "working hours"

    def __str__(self) -> str:
        return f"{self.starts:%H:%M}–{self.ends:%H:%M}"

    def cover(self, moment: datetime, *, time_zone: str) -> bool:
        """Whether the moment lies in them; they may reach over midnight."""
        local = moment.astimezone(zone(time_zone))
        if self.weekdays_only and local.weekday() >= 5:
            return False
        return _within(local.time(), self.starts, self.ends)


def zone(name: str) -> ZoneInfo:
    """The time zone of this name; UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _within(now: time, starts: time, ends: time) -> bool:
    return starts <= now < ends if starts <= ends else now >= starts or now < ends
