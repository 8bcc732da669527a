"""Changing the permissions that a fleet requests. Callers have checked the member's permission."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, User
from connect.permission_settings.models import PermissionSettings
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import NEEDED, in_order, with_reasons


@transaction.atomic
def choose_scopes(*, fleet: Fleet, scopes: Iterable[str], actor: User) -> bool:
    """Sets the permissions that the fleet requests from now on. Returns False if nothing was changed.

    Names that Smartcar doesn't document are left out. What drivers granted before is unchanged.
    """
    Fleet.objects.select_for_update().get(pk=fleet.pk)
    before = requested_scopes(fleet=fleet)
    after = in_order(scope.name for scope in with_reasons({NEEDED, *scopes}))
    if tuple(after) == before:
        return False
    PermissionSettings.objects.update_or_create(
        fleet=fleet, defaults={"scopes": after, "changed_at": timezone.now()}
    )
    changes = {
        "added": in_order(set(after).difference(before)),
        "removed": in_order(set(before).difference(after)),
    }
    log_event(
        fleet=fleet,
        actor=actor,
        event=AuditEvent.FLEET_PERMISSIONS_CHANGED,
        data={name: names for name, names in changes.items() if names},
    )
    return True
