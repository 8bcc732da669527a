"""Digests: emails to members about the new alerts of a fleet, at most one per member every MIN_INTERVAL."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables

from accounts.models import Fleet, Membership
from alerts.links import alert_url, alerts_url, settings_url
from alerts.messages import alert_text, alert_title
from alerts.models import Alert
from alerts.selectors import email_recipients
from alerts.types import AlertType
from core.mail.kinds import EmailKind, RenderedEmail, register
from core.mail.models import OutgoingEmail
from core.mail.services import latest_emails, queue_email
from vehicles.zones import known_zone

DIGEST = "alerts.digest"
# New alerts wait this long for more, and digests of a fleet are this far apart.
DIGEST_DELAY = timedelta(minutes=2)
MIN_INTERVAL = timedelta(minutes=15)
# Further alerts are counted, not listed.
MAX_LISTED = 20


def register_emails() -> None:
    """Registers the kind, at start-up. Its object is the recipient's membership."""
    register(EmailKind(DIGEST, gettext_lazy("Digest of new alerts"), Membership, _render))


def build_digests(*, now: datetime) -> int:
    """Queues digests of the new alerts of all fleets, where it is time. Returns how many."""
    ready = Alert.objects.filter(resolved_at=None, emailed_at=None, last_raised_at__lte=now - DIGEST_DELAY)
    fleet_ids = ready.order_by().values_list("fleet_id", flat=True).distinct()
    return sum(_build_digests(fleet_id, now=now) for fleet_id in fleet_ids)


@transaction.atomic
def _build_digests(fleet_id: int, *, now: datetime) -> int:
    """One worker at a time per fleet. Alerts that another transaction has locked wait for the next round."""
    locked = Fleet.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=fleet_id)
    if locked.first() is None or _sent_recently(fleet_id, now=now):
        return 0
    found = Alert.objects.filter(fleet_id=fleet_id, resolved_at=None, emailed_at=None).order_by("pk")
    fresh = list(found.select_for_update(no_key=True, skip_locked=True))
    unacknowledged = [alert for alert in fresh if alert.is_unacknowledged]
    queued = 0
    for membership, kinds in email_recipients(fleet_id=fleet_id) if settings.EMAIL_ENABLED else ():
        if wanted := [alert.pk for alert in unacknowledged if alert.kind in kinds]:
            queue_email(
                kind=DIGEST,
                object_id=membership.pk,
                recipient=membership.user.email,
                language=membership.user.language,
                params={"alerts": wanted},
                now=now,
            )
            queued += 1
    Alert.objects.filter(pk__in=[alert.pk for alert in fresh]).update(emailed_at=now)
    return queued


def _sent_recently(fleet_id: int, *, now: datetime) -> bool:
    members = Membership.objects.filter(fleet_id=fleet_id).values("pk")
    recent = OutgoingEmail.objects.filter(
        kind=DIGEST, object_id__in=members, created_at__gt=now - MIN_INTERVAL
    )
    return recent.exists()


def latest_digest(membership: Membership) -> OutgoingEmail | None:
    """The member's newest digest, which says whether it was sent."""
    return latest_emails(kind=DIGEST, object_ids=[membership.pk]).get(membership.pk)


@sensitive_variables()
def _render(email: OutgoingEmail) -> RenderedEmail | None:
    """In the fleet's time zone. Leaves out what was resolved or acknowledged meanwhile, and what the member may no
    longer see."""
    membership = Membership.objects.select_related("fleet", "user").filter(pk=email.object_id).first()
    if membership is None:
        return None
    kinds = {each.pk: types for each, types in email_recipients(fleet_id=membership.fleet_id)}
    found = Alert.objects.filter(
        pk__in=email.params["alerts"],
        fleet=membership.fleet,
        resolved_at=None,
        acknowledged_at=None,
        kind__in=kinds.get(membership.pk, ()),
    )
    alerts = list(found.select_related("vehicle", "fleet"))
    if not alerts:
        return None
    with timezone.override(known_zone(membership.fleet.time_zone)):
        text = render_to_string("alerts/digest.txt", _context(membership, alerts))
        return RenderedEmail(_subject(membership.fleet, alerts), text, recipient=membership.user.email)


def _context(membership: Membership, alerts: list[Alert]) -> dict[str, object]:
    return {
        "user": membership.user,
        "fleet": membership.fleet,
        "count": len(alerts),
        "groups": _grouped(alerts[:MAX_LISTED]),
        "more": max(len(alerts) - MAX_LISTED, 0),
        "page": alerts_url(membership.fleet),
        "settings": settings_url(membership.fleet),
    }


def _subject(fleet: Fleet, alerts: list[Alert]) -> str:
    if len(alerts) == 1:
        values = {"fleet": fleet.name, "vehicle": alerts[0].vehicle, "what": alert_title(alerts[0])}
        return _("%(what)s: %(vehicle)s (%(fleet)s)") % values
    count = len(alerts)
    text = ngettext("%(n)s new alert (%(fleet)s)", "%(n)s new alerts (%(fleet)s)", count)
    return text % {"n": count, "fleet": fleet.name}


def _grouped(alerts: Iterable[Alert]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """By title: vehicle, text and address of each alert."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for alert in sorted(alerts, key=lambda each: AlertType.values.index(each.kind)):
        # A vehicle's name may contain a line break.
        name = " ".join(str(alert.vehicle).split())
        line = (name, alert_text(alert), settings.SITE_URL + alert_url(alert))
        groups.setdefault(alert_title(alert), []).append(line)
    return list(groups.items())
