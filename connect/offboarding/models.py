"""A car that leaves a fleet: who asked, what was ended at Smartcar, what was erased here. The proof of it.

No VIN, no name, no plate and no place stand in these rows: they outlive all of that.
"""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from accounts.models import Fleet, User
from connect.messages import Problem, code_field, params_field, smartcar_message_field
from core.message_codes import Message, render
from vehicles.models import Vehicle


class ErasureScope(models.TextChoices):
    """What is erased of what was recorded."""

    NOTHING = "nothing", _("Nothing: recorded data is kept")
    PLACES = "places", _("Location history: all recorded locations")
    EVERYTHING = "everything", _("All recorded data")


class RevocationStatus(models.TextChoices):
    """What became of one driver's grant at Smartcar."""

    WAITING = "waiting", _("Not yet revoked at Smartcar")
    ENDED = "ended", _("Revoked at Smartcar")
    ENDED_BEFORE = "before", _("Already ended at Smartcar")
    SHARED = (
        "shared",
        _("Still active: the driver uses the same authorization to share with another fleet on this site"),
    )
    AGAIN = "again", _("Still active: the driver has reconnected since")


class RemoteStatus(models.TextChoices):
    """What Smartcar's own list of connections said afterwards."""

    WAITING = "waiting", _("Not checked yet")
    GONE = "gone", _("No longer listed by Smartcar")
    SHOWN = "shown", _("Still listed by Smartcar; checking again")
    GOES_ON = "goes_on", _("Not checked: the authorization is still active")
    NO_LIST = "no_list", _("Can't check with Smartcar: no management token is set for this application")


class OffboardingRequest(models.Model):
    """One car's leaving. `connection` is set when one driver's connection leaves, not the car as a whole.

    `since`: another driver of the fleet still shares the car, so only what was recorded since then is erased.
    `until` is when the sharing ended: what a driver shares later, this one or another, is not touched.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="removals")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="removals")
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="removals"
    )
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_driver = models.BooleanField(default=False)
    extent = models.CharField(max_length=10, choices=ErasureScope.choices)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField()
    asked_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    problem_code = code_field()
    problem_params = params_field()
    problem_smartcar_message = smartcar_message_field()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_removal"
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(fields=["id"], name="connect_removal_open", condition=Q(finished_at=None)),
        ]

    def __str__(self) -> str:
        return f"Removal {self.pk}"

    @property
    def problem(self) -> Problem:
        """Why the last try did not finish; false where nothing went wrong."""
        return Problem(Message(self.problem_code, self.problem_params), self.problem_smartcar_message)

    @property
    def erases(self) -> bool:
        return self.extent != ErasureScope.NOTHING

    @property
    def asker(self) -> str:
        """Who asked for it, in words."""
        if self.by_driver:
            return pgettext("by whom", "the driver")
        return str(self.asked_by or pgettext("by whom", "Former member"))

    def claim(self, *, now: datetime, lease: timedelta) -> bool:
        """Takes the removal for one process, unless another has it or its next try is not due."""
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        due = Q(next_try_at=None) | Q(next_try_at__lte=now)
        mine = OffboardingRequest.objects.filter(free, due, pk=self.pk, finished_at=None)
        return mine.update(lease_until=now + lease) == 1


class GrantRevocation(models.Model):
    """One driver's grant of the car, and how it ended. `request_id` is Smartcar's, for its support."""

    removal = models.ForeignKey(OffboardingRequest, on_delete=models.CASCADE, related_name="grants")
    connection = models.ForeignKey("connect.Connection", on_delete=models.CASCADE, related_name="+")
    end = models.CharField(max_length=8, choices=RevocationStatus.choices, default=RevocationStatus.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    listing = models.CharField(max_length=8, choices=RemoteStatus.choices, default=RemoteStatus.WAITING)
    listed_at = models.DateTimeField("list asked at", null=True, blank=True)

    class Meta:
        db_table = "connect_removedgrant"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["removal", "connection"], name="connect_removed_grant_once")
        ]

    def __str__(self) -> str:
        return f"Grant {self.connection_id} of {self.removal}"


class ErasureRecord(models.Model):
    """How many rows of one kind a removal has erased so far; grows in the transaction that erases them."""

    removal = models.ForeignKey(OffboardingRequest, on_delete=models.CASCADE, related_name="erased")
    kind = models.CharField(max_length=40)
    rows = models.PositiveBigIntegerField(default=0)
    note_code = code_field()
    note_params = params_field()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_erasedrows"
        ordering = ["id"]
        verbose_name_plural = "erased rows"
        constraints = [models.UniqueConstraint(fields=["removal", "kind"], name="connect_erased_kind_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.rows}"

    @property
    def note(self) -> str:
        """Why the rows stay, in the active language; "" where they are erased."""
        return render(self.note_code, self.note_params)
