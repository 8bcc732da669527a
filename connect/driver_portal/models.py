"""The driver portal, and when a driver hides the vehicle's location."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Fleet, User
from core.signed_links import SignedLink, hash_token, new_nonce

if TYPE_CHECKING:
    from connect.models import Connection


class DriverPortal(SignedLink):
    """One driver's page about the vehicles shared with one fleet. Its link works until the portal is closed.

    `link_created_by` is the manager who created the link; None after the driver's own authorization. If the link was
    `shown_to_manager`, it doesn't prove that the driver uses the page.
    """

    view = "connect:portal"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="driver_pages")
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128)
    driver_name = models.CharField("driver's name", max_length=80)
    driver_email = models.EmailField("driver's email", blank=True)
    # Chosen by the driver; "" is the browser's time zone.
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    link_created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    shown_to_manager = models.BooleanField(default=False, db_default=False)

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

    @property
    def earlier(self) -> "QuerySet[DriverPortal]":
        """The driver's closed portals of the fleet, whose links no longer work."""
        closed = DriverPortal.objects.filter(fleet=self.fleet_id, smartcar_user_id=self.smartcar_user_id)
        return closed.exclude(pk=self.pk).exclude(revoked_at=None)

    def replace_link(self) -> None:
        """Gives the portal a new link, without saving. The old one no longer works once the portal is saved."""
        self.nonce = new_nonce()
        self.secret_hash = hash_token(self.secret)
        self.link_created_by, self.shown_to_manager = None, False

    def audit_data(self) -> dict[str, Any]:
        """Returns what the audit log says about an action on the portal: which one, and who created its link."""
        creator = self.link_created_by
        return {"by_driver": True, "page": self.pk, "link_by": "" if creator is None else creator.email}

    @classmethod
    def from_token(cls, secret: str) -> "DriverPortal | None":
        """Returns the portal for the link's secret, or None if there is none or it was closed."""
        found = cls.objects.select_related("fleet", "link_created_by")
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
    """Working hours. Outside them, the vehicle's location is hidden.

    `time_zone` is that of the fleet when the driver set the hours, so that a change by the fleet doesn't move them. An
    older version leaves it empty.
    """

    connection = models.OneToOneField(
        "connect.Connection", on_delete=models.CASCADE, related_name="working_hours"
    )
    starts = models.TimeField()
    ends = models.TimeField()
    weekdays_only = models.BooleanField("Monday to Friday only", default=True)
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")

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
