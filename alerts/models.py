"""Notices of what needs a person, the e-mails that tell of them, and who wants to hear of what."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Fleet, Membership, User
from alerts.types import Kind, all_kinds
from vehicles.models import Vehicle

LOW_BATTERY = 20
LOWEST, HIGHEST = 5, 60
_LEASE = timedelta(minutes=5)
_SLOWEST = timedelta(hours=1)


class Notice(models.Model):
    """One condition of one subject in one fleet, from when it began (`opened_at`) to when it was over (`ended_at`).

    Open at most once at a time. `level`, `subject` and `facts` are those of alerts.types.Condition. `news_at` is when
    there was last something to tell: it began, or it grew worse; `posted_at` when e-mails were made of that.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="notices")
    subject = models.BigIntegerField()
    level = models.PositiveSmallIntegerField(default=0)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    news_at = models.DateTimeField()
    posted_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # What is to be done first, then what somebody has in hand, then what is over.
        ordering = [
            F("ended_at").desc(nulls_first=True),
            F("acknowledged_at").desc(nulls_first=True),
            "-news_at",
            "-id",
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject", "fleet"],
                condition=Q(ended_at=None),
                name="alerts_notice_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["fleet", "-ended_at"], name="alerts_notice_of_fleet"),
            models.Index(
                fields=["fleet", "kind"],
                condition=Q(ended_at=None, acknowledged_at=None),
                name="alerts_notice_due",
            ),
            models.Index(
                fields=["news_at"], condition=Q(ended_at=None, posted_at=None), name="alerts_notice_unposted"
            ),
            # What came back soon after its end is looked for by its subject.
            models.Index(fields=["kind", "subject", "-ended_at"], name="alerts_notice_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{Kind(self.kind).label}: {self.vehicle}"

    @property
    def open(self) -> bool:
        """Whether the condition lasts."""
        return self.ended_at is None

    @property
    def due(self) -> bool:
        """Whether it waits for somebody."""
        return self.open and self.acknowledged_at is None


class Letter(models.Model):
    """One e-mail to one member about what is new in a fleet. The row is the truth; tasks only carry its id.

    Until it is sent it waits for `next_try_at`, which whoever sends it moves on first. `dropped_at`: nothing of it was
    left to tell.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    notices = models.ManyToManyField(Notice, related_name="letters")
    created_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["fleet", "-created_at"], name="alerts_letter_recent"),
            models.Index(
                fields=["next_try_at"],
                condition=Q(sent_at=None, dropped_at=None),
                name="alerts_letter_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"Letter {self.pk}"

    def claim(self, *, now: datetime) -> bool:
        """Takes the letter for one process, unless it is sent or another has it. A dead process's is free again
        after five minutes."""
        waiting = Letter.objects.filter(pk=self.pk, sent_at=None, dropped_at=None, next_try_at__lte=now)
        return waiting.update(next_try_at=now + _LEASE, attempts=F("attempts") + 1) == 1

    def sent(self, *, now: datetime) -> bool:
        """It is sent. False when that was noted before."""
        return self._settled(sent_at=now, error="")

    def dropped(self, *, now: datetime) -> bool:
        """It is not to be sent any more. False when it was settled before."""
        return self._settled(dropped_at=now)

    def failed(self, *, now: datetime, error: str) -> None:
        """It could not be sent: it is tried again, less and less often."""
        pause = min(timedelta(minutes=1) * 2 ** min(self.attempts, 6), _SLOWEST)
        self._settled(next_try_at=now + pause, error=error[:200])

    def _settled(self, **columns: object) -> bool:
        waiting = Letter.objects.filter(pk=self.pk, sent_at=None, dropped_at=None)
        return waiting.update(**columns) == 1


class FleetRules(models.Model):
    """What a fleet wants to be told of at all, and below how many per cent a battery or tank is low."""

    fleet = models.OneToOneField(
        Fleet, on_delete=models.CASCADE, primary_key=True, related_name="notice_rules"
    )
    low_battery = models.PositiveSmallIntegerField(
        default=LOW_BATTERY, validators=[MinValueValidator(LOWEST), MaxValueValidator(HIGHEST)]
    )
    kinds = ArrayField(models.CharField(max_length=12, choices=Kind.choices), default=all_kinds, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "rules of fleets"

    def __str__(self) -> str:
        return f"Rules of {self.fleet}"


class MemberChoice(models.Model):
    """Which kinds one member wants in the bell, and which by e-mail. Without a row: what is usual for the role."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, primary_key=True, related_name="notice_choice"
    )
    in_bell = ArrayField(models.CharField(max_length=12, choices=Kind.choices), default=list, blank=True)
    by_mail = ArrayField(models.CharField(max_length=12, choices=Kind.choices), default=list, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "choices of members"

    def __str__(self) -> str:
        return f"Choice of {self.membership}"
