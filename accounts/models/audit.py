"""The audit log."""

from django.db import models
from django.utils import timezone

from accounts.models.fleets import Fleet
from accounts.models.users import User


class AuditLogEntry(models.Model):
    """Who did what in a fleet or on the site, and when (accounts.audit). Written once, never changed.

    An object is identified by kind and ID instead of a foreign key, because most objects belong to apps above this one,
    and an entry outlives its object.
    """

    fleet = models.ForeignKey(
        Fleet, on_delete=models.CASCADE, null=True, blank=True, related_name="audit_entries"
    )
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
