"""Users, fleets, memberships, invitations, API tokens and the audit log."""

from accounts.models.audit import AuditLogEntry
from accounts.models.fleets import Fleet, Membership, Onboarding, Role, SmartcarApiVersion, UnitSystem
from accounts.models.invitations import MemberInvitation
from accounts.models.tokens import ApiToken
from accounts.models.users import Theme, User

__all__ = [
    "ApiToken",
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
