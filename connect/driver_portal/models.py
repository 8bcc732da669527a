"""The driver portal, and when a driver hides the vehicle's location."""

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
    """One driver's page about the vehicles shared with one fleet. Its link works until the portal is closed."""

    view = "connect:portal"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="driver_pages")
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128)
    driver_name = models.CharField("driver's name", max_length=80)
    driver_email = models.EmailField("driver's email", blank=True)
    # Chosen by the driver; "" is the browser's time zone.
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
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
        """The driver's connections with the fleet, including former ones."""
        return self.fleet.connections.filter(smartcar_user_id=self.smartcar_user_id)

    @classmethod
    def from_token(cls, secret: str) -> "DriverPortal | None":
        """Returns the portal for the link's secret, or None if there is none or it was closed."""
        found = cls.objects.select_related("fleet")
        return found.filter(secret_hash=hash_token(secret), revoked_at=None).first()


class LocationPause(models.Model):
    """A period in which a driver hides the vehicle's location; without `ends_at`, until the driver resumes sharing.

    Past pauses are retained, because a vehicle may later report its location from that time again.
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
    """Working hours in the fleet's time zone. Outside them, the vehicle's location is hidden."""

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
        """Returns whether the moment is within the hours, which may extend past midnight."""
        local = moment.astimezone(zone(time_zone))
        if self.weekdays_only and local.weekday() >= 5:
            return False
        return _within(local.time(), self.starts, self.ends)


def zone(name: str) -> ZoneInfo:
    """Returns the time zone of this name; UTC if the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _within(now: time, starts: time, ends: time) -> bool:
    return starts <= now < ends if starts <= ends else now >= starts or now < ends
