"""Users, fleets, memberships, invitations, API tokens, failed attempts and the audit log."""

from accounts.models.attempts import AttemptCount
from accounts.models.audit import AuditLogEntry
from accounts.models.fleets import Fleet, Membership, Onboarding, Role, SmartcarApiVersion, UnitSystem
from accounts.models.invitations import MemberInvitation
from accounts.models.tokens import ApiToken
from accounts.models.users import Theme, User

__all__ = [
    "ApiToken",
    "AttemptCount",
    "AuditLogEntry",
    "Fleet",
    "MemberInvitation",
    "Membership",
    "Onboarding",
    "Role",
    "SmartcarApiVersion",
    "Theme",
    "UnitSystem",
    "User",
]
