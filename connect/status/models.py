"""Every change of a connection's state with its evidence, and issues that are not confirmed yet."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from connect.messages import code_field, params_field
from connect.status.states import ConnectionState
from core.message_codes import Message, render

if TYPE_CHECKING:
    from connect.models import Connection


class Transition(models.Model):
    """One change of a connection's state. Written in the transaction of the change, never altered.

    `evidence` is what the change is based on: an event, a request, fresh data, or who did it.
    """

    connection = models.ForeignKey("connect.Connection", on_delete=models.CASCADE, related_name="transitions")
    from_state = models.CharField(max_length=16, choices=ConnectionState.choices, blank=True)
    to_state = models.CharField(max_length=16, choices=ConnectionState.choices)
    reason_code = code_field()
    reason_params = params_field()
    evidence_code = code_field()
    evidence_params = params_field()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["connection", "-at"], name="connect_transition_recent")]

    def __str__(self) -> str:
        return f"{self.from_state or 'new'} → {self.to_state}"

    @classmethod
    def record(
        cls,
        *,
        connection: "Connection",
        from_state: str,
        to_state: str,
        reason: Message,
        evidence: Message,
        at: datetime,
    ) -> Self:
        """The row of a change; not saved. `from_state` is "" for a new connection."""
        return cls(
            connection=connection,
            from_state=from_state,
            to_state=to_state,
            reason_code=reason.code,
            reason_params=reason.params,
            evidence_code=evidence.code,
            evidence_params=evidence.params,
            at=at,
        )

    @property
    def reason(self) -> str:
        """Why the state changed, in the active language."""
        return render(self.reason_code, self.reason_params)

    @property
    def evidence(self) -> str:
        """What the change is based on, in the active language."""
        return render(self.evidence_code, self.evidence_params)


class PendingIssue(models.Model):
    """A reported issue of a connection that is not confirmed yet (connect.status.state_machine)."""

    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, related_name="pending_issues"
    )
    state = models.CharField(max_length=16, choices=ConnectionState.choices)
    error = models.CharField(max_length=130)
    source = models.CharField(max_length=8)
    since = models.DateTimeField()
    evidence_code = code_field()
    evidence_params = params_field()

    class Meta:
        db_table = "connect_suspicion"
        ordering = ["since"]
        constraints = [models.UniqueConstraint(fields=["connection", "state"], name="connect_suspicion_once")]

    def __str__(self) -> str:
        return f"Perhaps {self.state}, since {self.since:%Y-%m-%d %H:%M}"

    @property
    def evidence(self) -> str:
        """What the issue is based on, in the active language."""
        return render(self.evidence_code, self.evidence_params)
