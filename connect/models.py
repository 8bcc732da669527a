"""Connections to vehicles, authorization requests, and encrypted tokens.

Columns named `*_ciphertext` are read and written by connect.token_store only.
"""

from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from connect.messages import Problem, StateReason, code_field, params_field, smartcar_message_field
from connect.status import notifications
from connect.status.states import DEGRADED, TERMINATED, USABLE, AuthorizationPurpose
from connect.status.states import ConnectionState as ConnectionState
from core import pubsub
from core.message_codes import NO_MESSAGE, Message, render
from core.pubsub import Channel
from smartcar_api.error_docs import documentation_url
from vehicles.models import Vehicle


class AuthorizationRequest(models.Model):
    """One authorization in Smartcar Connect, by a manager or an invited driver.

    Only hashes of the OAuth state and the browser session are stored. `external_id` is sent to Smartcar and returned in
    its list of connections, which proves that the user named in the redirect completed this authorization.
    """

    LIFETIME = timedelta(hours=1)

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="authorization_requests")
    started_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    invitation = models.ForeignKey(
        "connect.Invitation", on_delete=models.CASCADE, null=True, blank=True, related_name="trips"
    )
    application = models.ForeignKey(
        "connect.SmartcarApplication", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    purpose = models.CharField(
        max_length=12, choices=AuthorizationPurpose.choices, default=AuthorizationPurpose.CONNECT
    )
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="trips"
    )
    api_version = models.CharField(db_column="generation", max_length=2, choices=SmartcarApiVersion.choices)
    mode = models.CharField(max_length=10)
    scopes = ArrayField(models.CharField(max_length=60))
    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    external_id = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)
    outcome_code = code_field()
    outcome_params = params_field()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(started_by=None) ^ Q(invitation=None), name="connect_trip_of_one_person"
            )
        ]

    def __str__(self) -> str:
        return f"Connect for {self.fleet}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def outcome(self) -> str:
        """How the authorization ended, in the active language; "" until then."""
        return render(self.outcome_code, self.outcome_params)

    def use(self, *, now: datetime) -> bool:
        """Marks the request as used. Returns False if it was used or has expired; it must not be processed then."""
        fresh = AuthorizationRequest.objects.filter(
            pk=self.pk, used_at=None, created_at__gt=now - self.LIFETIME
        )
        return fresh.update(used_at=now) == 1


class LeaseMixin(models.Model):
    """A row that only the process holding its lease may renew; each renewal increments `version`."""

    version = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def claim(self, *, now: datetime, lease: timedelta) -> bool:
        """Takes the lease and returns True, if the lease is free and the row is still at the version we read."""
        free = type(self)._default_manager.filter(pk=self.pk, version=self.version)
        return free.filter(Q(lease_until=None) | Q(lease_until__lt=now)).update(lease_until=now + lease) == 1

    def release(self) -> None:
        """Releases the lease without a renewal."""
        type(self)._default_manager.filter(pk=self.pk, version=self.version).update(lease_until=None)

    def renew(self, **columns: object) -> bool:
        """Stores the renewal and returns True, if the row is still at the version we read (compare and swap)."""
        same_version = type(self)._default_manager.filter(pk=self.pk, version=self.version)
        return same_version.update(**columns, version=F("version") + 1, lease_until=None) == 1

    def reread(self) -> Self:
        return type(self)._default_manager.get(pk=self.pk)


class UserToken(LeaseMixin):
    """A v2 token pair of one driver, encrypted. Each code exchange creates a pair, valid for one application."""

    application = models.ForeignKey(
        "connect.SmartcarApplication", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128, db_index=True)
    access_ciphertext = models.BinaryField()
    refresh_ciphertext = models.BinaryField()
    access_expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField(db_index=True)
    refreshed_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_ownertokens"
        ordering = ["refresh_expires_at"]
        verbose_name = verbose_name_plural = "owner tokens (v2)"

    def __str__(self) -> str:
        return f"Token pair {self.pk}"


class ApplicationToken(LeaseMixin):
    """The v3 token of one Smartcar application, encrypted."""

    client_id = models.CharField(max_length=80, unique=True)
    token_ciphertext = models.BinaryField(default=bytes)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_applicationtokens"
        verbose_name = verbose_name_plural = "application tokens (v3)"

    def __str__(self) -> str:
        return f"Token of {self.client_id}"


class Connection(models.Model):
    """A Smartcar user's grant for one vehicle of a fleet. Reconnecting updates the row and never adds a second one."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="connections")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="connections")
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128, db_index=True)
    smartcar_connection_id = models.CharField("Smartcar connection id", max_length=128, blank=True)
    application = models.ForeignKey(
        "connect.SmartcarApplication",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="connections",
    )
    api_version = models.CharField(db_column="generation", max_length=2, choices=SmartcarApiVersion.choices)
    mode = models.CharField(max_length=10)
    scopes = ArrayField(models.CharField(max_length=60), default=list)
    tokens = models.ForeignKey(
        UserToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="connections"
    )
    state = models.CharField(max_length=16, choices=ConnectionState.choices, default=ConnectionState.PENDING)
    state_reason_code = code_field()
    state_reason_params = params_field()
    # The error (TYPE:CODE) that caused the state.
    state_error = models.CharField(max_length=130, blank=True)
    state_since = models.DateTimeField(default=timezone.now)
    # Smartcar's URL where the driver can sign in again.
    resolution_url = models.CharField(max_length=2000, blank=True)
    next_probe_at = models.DateTimeField(null=True, blank=True)
    # Set while the vehicle waits to be fetched through the API (connect.fetching).
    fetch_due_at = models.DateTimeField(null=True, blank=True)
    subscribed_at = models.DateTimeField(null=True, blank=True)
    subscription_error_code = code_field()
    subscription_error_params = params_field()
    subscription_error_smartcar_message = smartcar_message_field()
    next_subscription_try_at = models.DateTimeField(null=True, blank=True)
    # Set if Smartcar connected the vehicle by itself, without a driver (connect.business_fleet), and when that ended.
    adopted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # A vehicle has a connection in both applications during an application migration.
            models.UniqueConstraint(
                fields=["vehicle", "smartcar_user_id", "application"],
                nulls_distinct=False,
                name="connect_connection_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["fetch_due_at"],
                condition=Q(fetch_due_at__isnull=False),
                name="connect_connection_fetch_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.vehicle} ({self.get_api_version_display()})"

    @property
    def state_reason(self) -> str:
        """The reason for the state, in the active language."""
        return render(self.state_reason_code, self.state_reason_params)

    @property
    def documentation_url(self) -> str:
        """The page of Smartcar's documentation about the error behind the state, "" if there is none."""
        type_, _, code = self.state_error.partition(":")
        return documentation_url(type_, code)

    @property
    def subscription_error(self) -> Problem:
        """Why the vehicle is not subscribed to the webhook; falsy if no attempt has failed."""
        message = Message(self.subscription_error_code, self.subscription_error_params)
        return Problem(message, self.subscription_error_smartcar_message)

    @property
    def alive(self) -> bool:
        """Whether the vehicle can be called through this connection."""
        return self.state in USABLE

    @property
    def rank(self) -> int:
        """The order of preference among the connections of a vehicle; the lowest is best."""
        return USABLE.index(ConnectionState(self.state)) if self.alive else len(USABLE)

    @property
    def degraded(self) -> bool:
        """Whether the connection needs attention."""
        return self.state in DEGRADED

    @property
    def granted(self) -> bool:
        """Whether the driver's grant is still valid, so that a read may show whether the connection works again."""
        return self.state not in TERMINATED

    def connected(self, *, evidence: Message, new: bool) -> None:
        """Handles the driver's grant, new or renewed: the connection now awaits data."""
        now, reason = timezone.now(), StateReason.CONNECTED.message()
        self.pending_issues.all().delete()
        Connection.objects.filter(pk=self.pk).update(resolution_url="")
        if not new:
            # Data received from now on belongs to the new grant, regardless of the earlier state.
            self.move_to(ConnectionState.PENDING, reason=reason, now=now, evidence=evidence)
            return
        Connection.objects.filter(pk=self.pk).update(
            state_reason_code=reason.code, state_reason_params=reason.params, state_since=now
        )
        self.refresh_from_db(fields=["state_reason_code", "state_reason_params", "state_since"])
        Transition.record(
            connection=self, from_state="", to_state=self.state, reason=reason, evidence=evidence, at=now
        ).save()
        pubsub.publish_on_commit(channel=Channel.CONNECTIONS, vehicles={self.fleet_id: [self.vehicle_id]})

    @transaction.atomic
    def move_to(
        self,
        state: ConnectionState,
        *,
        now: datetime,
        reason: Message = NO_MESSAGE,
        error: str = "",
        evidence: Message = NO_MESSAGE,
    ) -> bool:
        """Changes the state and logs the transition. Returns False if the connection is in that state already.

        `error` is TYPE:CODE, `evidence` what the change is based on. Pending issues are deleted.
        """
        locked = Connection.objects.select_for_update(no_key=True).filter(pk=self.pk).exclude(state=state)
        before = locked.values_list("state", flat=True).first()
        if before is None:
            return False
        self.state, self.state_since = state, now
        self.state_reason_code, self.state_reason_params = reason.code, reason.params
        self.state_error, self.next_probe_at = error[:130], None
        self.save(
            update_fields=[
                "state",
                "state_reason_code",
                "state_reason_params",
                "state_since",
                "state_error",
                "next_probe_at",
            ]
        )
        self.pending_issues.all().delete()
        Transition.record(
            connection=self, from_state=before, to_state=state, reason=reason, evidence=evidence, at=now
        ).save()
        notifications.on_transition([(self, before)], now=now)
        return True


# Models of this app that are defined in other modules.
from connect.applications.models import FleetApplication as FleetApplication  # noqa: E402
from connect.applications.models import SmartcarApplication as SmartcarApplication  # noqa: E402
from connect.applications.setup_events import SetupEvent as SetupEvent  # noqa: E402
from connect.bulk_requests.models import BulkRequest as BulkRequest  # noqa: E402
from connect.business_fleet.models import AdoptionRule as AdoptionRule  # noqa: E402
from connect.driver_portal.models import DriverPortal as DriverPortal  # noqa: E402
from connect.driver_portal.models import LocationPause as LocationPause  # noqa: E402
from connect.driver_portal.models import TrackingSchedule as TrackingSchedule  # noqa: E402
from connect.invitations.models import Invitation as Invitation  # noqa: E402
from connect.offboarding.models import ErasureRecord as ErasureRecord  # noqa: E402
from connect.offboarding.models import GrantRevocation as GrantRevocation  # noqa: E402
from connect.offboarding.models import OffboardingRequest as OffboardingRequest  # noqa: E402
from connect.permission_settings.models import PermissionSettings as PermissionSettings  # noqa: E402
from connect.reconciliation.models import Discrepancy as Discrepancy  # noqa: E402
from connect.reconciliation.models import FleetReconciliation as FleetReconciliation  # noqa: E402
from connect.reconciliation.models import Reconciliation as Reconciliation  # noqa: E402
from connect.refusals.models import RefusedGrant as RefusedGrant  # noqa: E402
from connect.reminders.models import DriverReminder as DriverReminder  # noqa: E402
from connect.reminders.models import ReminderSettings as ReminderSettings  # noqa: E402
from connect.status.models import PendingIssue as PendingIssue  # noqa: E402
from connect.status.models import Transition as Transition  # noqa: E402
from connect.usage.models import FleetAllowance as FleetAllowance  # noqa: E402
from connect.usage.models import VehicleUsage as VehicleUsage  # noqa: E402
from connect.v2.api_migration.models import ApiMigration as ApiMigration  # noqa: E402
from connect.v2.api_migration.models import ConnectionMigration as ConnectionMigration  # noqa: E402
