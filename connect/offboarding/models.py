"""Offboardings: who requested them, what was revoked at Smartcar, and what was erased. They are the deletion receipt.

These rows contain no VIN, name, plate or location, because they are stored longer than those.
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
    """How much of the recorded data is erased."""

    NOTHING = "nothing", _("Nothing: recorded data is kept")
    PLACES = "places", _("Location history: all recorded locations")
    EVERYTHING = "everything", _("All recorded data")


class RevocationStatus(models.TextChoices):
    """The state of one driver's grant at Smartcar."""

    WAITING = "waiting", _("Not yet revoked at Smartcar")
    ENDED = "ended", _("Revoked at Smartcar")
    ENDED_BEFORE = "before", _("Already ended at Smartcar")
    SHARED = (
        "shared",
        _("Still active: the driver uses the same authorization to share with another fleet on this site"),
    )
    AGAIN = "again", _("Still active: the driver has reconnected since")


class RemoteStatus(models.TextChoices):
    """Whether Smartcar's list of connections still contains the grant afterwards."""

    WAITING = "waiting", _("Not checked yet")
    GONE = "gone", _("No longer listed by Smartcar")
    SHOWN = "shown", _("Still listed by Smartcar; checking again")
    GOES_ON = "goes_on", _("Not checked: the authorization is still active")
    NO_LIST = "no_list", _("Can't check with Smartcar: no management token is set for this application")


class OffboardingRequest(models.Model):
    """The offboarding of one vehicle. `connection` is set if only one driver's connection is offboarded.

    `since` is set if another driver of the fleet still shares the vehicle: only data recorded since then is erased.
    `until` is when sharing ended: data that this or another driver shares later is not erased. `searched_at` is when a
    search of every table found nothing more of what should be erased; only then is it finished.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="offboardings")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="offboardings")
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="offboardings"
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
    # What connect.offboarding.residue searches for, encrypted; deleted when the search finds nothing.
    search_terms = models.BinaryField(null=True, blank=True, editable=False)
    searched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_removal"
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(fields=["id"], name="connect_removal_open", condition=Q(finished_at=None)),
        ]

    def __str__(self) -> str:
        return f"Offboarding {self.pk}"

    @property
    def problem(self) -> Problem:
        """Why the last attempt did not finish; false if nothing failed."""
        return Problem(Message(self.problem_code, self.problem_params), self.problem_smartcar_message)

    @property
    def erases(self) -> bool:
        return self.extent != ErasureScope.NOTHING

    @property
    def requester(self) -> str:
        """The name of the user who requested it, or a text for a driver or a former member."""
        if self.by_driver:
            return pgettext("by whom", "the driver")
        return str(self.asked_by or pgettext("by whom", "Former member"))

    def claim(self, *, now: datetime, lease: timedelta) -> bool:
        """Leases the offboarding to one process. False if another has the lease or the next attempt is not due."""
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        due = Q(next_try_at=None) | Q(next_try_at__lte=now)
        claimable = OffboardingRequest.objects.filter(free, due, pk=self.pk, finished_at=None)
        return claimable.update(lease_until=now + lease) == 1


class GrantRevocation(models.Model):
    """One driver's grant for the vehicle and how it ended. `request_id` is Smartcar's, for its support."""

    offboarding = models.ForeignKey(
        OffboardingRequest, on_delete=models.CASCADE, db_column="removal_id", related_name="grants"
    )
    connection = models.ForeignKey("connect.Connection", on_delete=models.CASCADE, related_name="+")
    end = models.CharField(max_length=8, choices=RevocationStatus.choices, default=RevocationStatus.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    listing = models.CharField(max_length=8, choices=RemoteStatus.choices, default=RemoteStatus.WAITING)
    listed_at = models.DateTimeField("list requested at", null=True, blank=True)

    class Meta:
        db_table = "connect_removedgrant"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["offboarding", "connection"], name="connect_removed_grant_once")
        ]

    def __str__(self) -> str:
        return f"Grant {self.connection_id} of {self.offboarding}"


class ErasureRecord(models.Model):
    """How many rows of one kind have been erased so far; updated in the transaction that erases them."""

    offboarding = models.ForeignKey(
        OffboardingRequest, on_delete=models.CASCADE, db_column="removal_id", related_name="erased"
    )
    kind = models.CharField(max_length=40)
    rows = models.PositiveBigIntegerField(default=0)
    note_code = code_field()
    note_params = params_field()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_erasedrows"
        ordering = ["id"]
        verbose_name_plural = "erased rows"
        constraints = [
            models.UniqueConstraint(fields=["offboarding", "kind"], name="connect_erased_kind_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.rows}"

    @property
    def note(self) -> str:
        """Why the rows are retained, in the active language; "" if they are erased."""
        return render(self.note_code, self.note_params)
