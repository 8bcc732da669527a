"""Automatic requests and reminders to drivers: each fleet's settings, and what was sent."""

from datetime import datetime, time

from django.db import models
from django.utils import timezone

from accounts.models import Fleet


class ReminderSettings(models.Model):
    """Whether the fleet asks and reminds drivers automatically. A fleet without a row doesn't.

    Nothing is sent in the quiet hours, which are in the driver's time zone and may extend past midnight.
    """

    fleet = models.OneToOneField(Fleet, on_delete=models.CASCADE, related_name="reminder_settings")
    enabled = models.BooleanField(default=False)
    quiet_from = models.TimeField(default=time(20))
    quiet_until = models.TimeField(default=time(8))

    class Meta:
        verbose_name_plural = "reminder settings"

    def __str__(self) -> str:
        return f"Reminders of {self.fleet}"

    def is_quiet(self, local: datetime) -> bool:
        """Whether nothing may be sent at this local time."""
        now, begins, ends = local.time(), self.quiet_from, self.quiet_until
        return begins <= now < ends if begins <= ends else now >= begins or now < ends


class DriverReminder(models.Model):
    """One reminder of an open invitation. The constraint makes each number at most one email."""

    invitation = models.ForeignKey("connect.Invitation", on_delete=models.CASCADE, related_name="reminders")
    number = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["invitation", "number"], name="connect_reminder_once")]

    def __str__(self) -> str:
        return f"Reminder {self.number} of invitation {self.invitation_id}"
