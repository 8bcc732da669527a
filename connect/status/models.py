"""Every change of a connection's state, with its evidence; and what is only suspected."""

from django.db import models
from django.utils import timezone

from connect.status.states import ConnectionState


class Transition(models.Model):
    """One change of a connection's state. Written in the transaction of the change, never altered.

    `evidence` says what it rests on: an event's or a request's id, "fresh data", or who did it.
    """

    connection = models.ForeignKey("connect.Connection", on_delete=models.CASCADE, related_name="transitions")
    from_state = models.CharField(max_length=16, choices=ConnectionState.choices, blank=True)
    to_state = models.CharField(max_length=16, choices=ConnectionState.choices)
    cause = models.CharField(max_length=200, blank=True)
    evidence = models.CharField(max_length=160, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["connection", "-at"], name="connect_transition_recent")]

    def __str__(self) -> str:
        return f"{self.from_state or 'new'} → {self.to_state}"


class PendingIssue(models.Model):
    """A complaint about a connection that nothing has corroborated yet (connect.status.state_machine)."""

    connection = models.ForeignKey("connect.Connection", on_delete=models.CASCADE, related_name="suspicions")
    state = models.CharField(max_length=16, choices=ConnectionState.choices)
    error = models.CharField(max_length=130)
    source = models.CharField(max_length=8)
    since = models.DateTimeField()
    evidence = models.CharField(max_length=160, blank=True)

    class Meta:
        db_table = "connect_suspicion"
        ordering = ["since"]
        constraints = [models.UniqueConstraint(fields=["connection", "state"], name="connect_suspicion_once")]

    def __str__(self) -> str:
        return f"Perhaps {self.state}, since {self.since:%Y-%m-%d %H:%M}"
