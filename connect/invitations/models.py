"""Invitations of drivers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext, gettext_noop

from accounts.models import Fleet, User
from connect.status.states import AuthorizationPurpose
from core.one_time_links import OneTimeLink

# A published migration imports `_expiry` from here.
from core.one_time_links import expiry as _expiry  # noqa: F401

# Stored as the name of a driver whose name is unknown.
UNNAMED = gettext_noop("driver")


class Invitation(OneTimeLink):
    """A manager's invitation of one driver to an authorization. Its link works until the authorization succeeds.

    Without a `connection`, it is an invitation to share a vehicle; else see AuthorizationPurpose.
    """

    view = "connect:invitation"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="invitations")
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_column="made_by_id"
    )
    purpose = models.CharField(
        max_length=12, choices=AuthorizationPurpose.choices, default=AuthorizationPurpose.CONNECT
    )
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    bulk_request = models.ForeignKey(
        "connect.BulkRequest", on_delete=models.SET_NULL, null=True, blank=True, related_name="invitations"
    )
    # Created by the fleet's automatic requests (connect.reminders), not by a member.
    automatic = models.BooleanField(default=False, db_default=False)
    driver_name = models.CharField("driver's name", max_length=80)
    driver_email = models.EmailField("driver's email", blank=True)
    scopes = ArrayField(models.CharField(max_length=60))
    # Those of `scopes` without which the driver can't connect a vehicle ("Build the Connect URL").
    required_scopes = ArrayField(models.CharField(max_length=60), default=list, db_default=[])
    mode = models.CharField(max_length=10)
    make = models.CharField(max_length=40, blank=True)
    single_select = models.BooleanField(default=False)
    vin = models.CharField("VIN", max_length=17, blank=True)
    country = models.CharField(max_length=2, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Invitation of {self.driver_name} to {self.fleet}"

    @property
    def called(self) -> str:
        """The driver's name, or its placeholder in the active language."""
        return gettext(UNNAMED) if self.driver_name == UNNAMED else self.driver_name
