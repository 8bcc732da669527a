"""The audit log: one line per deed."""

from accounts.models import AuditLogEntry, Fleet, User


def record(*, fleet: Fleet, actor: User | None, action: str, target: str = "") -> AuditLogEntry:
    """Writes who did what. `target` names a thing by its public name, never a VIN, a place or a token."""
    return AuditLogEntry.objects.create(fleet=fleet, actor=actor, action=action, target=target[:120])
