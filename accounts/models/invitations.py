"""Invitations to join a fleet."""

from django.db import models

from accounts.models.fleets import Fleet, Role
from accounts.models.users import User
from core.one_time_links import OneTimeLink

# A published migration imports `expiry` from here.
from core.one_time_links import expiry as expiry


class MemberInvitation(OneTimeLink):
    """An owner's invitation of one email address to a fleet. Its link works once."""

    view = "accounts:invitation"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="member_invitations")
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_column="made_by_id"
    )
    email = models.EmailField("e-mail")
    role = models.CharField(max_length=8, choices=Role.choices)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fleet", "email"],
                condition=models.Q(used_at=None, revoked_at=None),
                name="accounts_invitation_once",
            )
        ]

    def __str__(self) -> str:
        return f"Invitation of {self.email} to {self.fleet}"
