"""A fleet's alert settings and members' notification preferences. Callers have checked permissions."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, Membership, User
from alerts import battery, services
from alerts.models import Alert, AlertSettings, NotificationPreference
from alerts.types import AlertType, default_channels, selected_types
from core.task_queue import enqueue_on_commit


def get_settings(*, fleet: Fleet) -> AlertSettings:
    """The fleet's settings, or the defaults (unsaved)."""
    return AlertSettings.objects.filter(fleet=fleet).first() or AlertSettings(fleet=fleet)


@transaction.atomic
def update_settings(*, fleet: Fleet, low_battery: int, kinds: Collection[AlertType], actor: User) -> None:
    """Changes the types of alerts and the low-battery threshold.

    Resolves alerts of types that are now off and batteries that are no longer low, and looks for new ones.
    """
    AlertSettings.objects.update_or_create(
        fleet=fleet,
        defaults={"low_battery": low_battery, "kinds": [kind.value for kind in AlertType if kind in kinds]},
    )
    log_event(fleet=fleet, actor=actor, event=AuditEvent.ALERT_SETTINGS_CHANGED)
    now = timezone.now()
    services.resolve_for_fleet(fleet=fleet, kinds=set(AlertType) - set(kinds), now=now)
    alerted = Alert.objects.filter(fleet=fleet, kind=AlertType.BATTERY, resolved_at=None)
    battery.evaluate(vehicle_ids=list(alerted.values_list("vehicle_id", flat=True)), now=now, hysteresis=0.0)
    enqueue_on_commit("alerts.tasks.detect_missed")


def effective_preferences(
    membership: Membership, preference: NotificationPreference | None
) -> tuple[frozenset[AlertType], frozenset[AlertType]]:
    """The types that the member gets in the app and by email, limited to what the role can see."""
    if preference is None:
        return default_channels(membership.role)
    in_app = selected_types(membership.role, preference.in_app)
    return in_app, selected_types(membership.role, preference.by_email)


def get_preferences(membership: Membership) -> NotificationPreference | None:
    """The member's preferences, or None if the member never set any."""
    return NotificationPreference.objects.filter(membership=membership).first()


def set_preferences(
    *, membership: Membership, in_app: Collection[AlertType], by_email: Collection[AlertType]
) -> None:
    """Saves the member's preferences, without types that the role can't see."""
    selected = {
        "in_app": sorted(selected_types(membership.role, in_app)),
        "by_email": sorted(selected_types(membership.role, by_email)),
    }
    NotificationPreference.objects.update_or_create(membership=membership, defaults=selected)
