"""Emails to drivers: invitations and driver portal links, in the driver's language."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.contrib import messages
from django.db import models
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from connect.driver_language import activate, vehicle_for_driver
from connect.models import DriverPortal, DriverReminder, Invitation
from connect.reminders.rules import MAX_REMINDERS
from connect.status.states import AuthorizationPurpose
from core.mail.kinds import EmailKind, RenderedEmail, register
from core.mail.models import OutgoingEmail
from core.mail.services import latest_emails, queue_email, retry_latest
from vehicles.zones import known_zone

INVITATION = "connect.invitation"
DRIVER_PORTAL = "connect.driver_portal"
REMINDER = "connect.reminder"
DRIVER_NOTICE = "connect.driver_notice"
Object = TypeVar("Object", bound=Model)


def register_emails() -> None:
    """Registers the kinds of email at startup."""
    register(EmailKind(INVITATION, gettext_lazy("Driver invitation"), Invitation, _render_invitation))
    register(EmailKind(REMINDER, gettext_lazy("Driver reminder"), DriverReminder, _render_reminder))
    register(EmailKind(DRIVER_NOTICE, gettext_lazy("Driver page notice"), DriverPortal, _render_notice))
    register(EmailKind(DRIVER_PORTAL, gettext_lazy("Driver page link"), DriverPortal, _render_portal))


def queue_invitation(*, invitation: Invitation, user: User | None) -> None:
    """Queues the email with the invitation's link."""
    queue_email(
        kind=INVITATION,
        object_id=invitation.pk,
        recipient=invitation.driver_email,
        language=invitation.language,
        created_by=user,
        replace=True,
    )


def queue_reminder(*, reminder: DriverReminder) -> None:
    """Queues the email that reminds the driver of an invitation."""
    queue_email(
        kind=REMINDER,
        object_id=reminder.pk,
        recipient=reminder.invitation.driver_email,
        language=reminder.invitation.language,
    )


def queue_portal_link(*, page: DriverPortal, user: User | None) -> None:
    """Queues the email with the driver portal's link; replaces one that is not sent yet."""
    queue_email(
        kind=DRIVER_PORTAL,
        object_id=page.pk,
        recipient=page.driver_email,
        language=page.language,
        created_by=user,
        replace=True,
    )


class DriverNotice(models.TextChoices):
    """What drivers are told about their page. The values are stored; a label is the text of the email."""

    ADDRESS_CHANGED = (
        "address_changed",
        gettext_lazy(
            "%(fleet)s has entered another email address for your sharing page. Links to the page go to "
            "that address from now on. If you don't know the address, ask %(fleet)s, or stop sharing on your page."
        ),
    )
    CLOSED = (
        "closed",
        gettext_lazy(
            "%(fleet)s has closed your sharing page. Its link no longer works, and what you share stays "
            "the same. Ask %(fleet)s for a new link if you need the page."
        ),
    )
    LOCATION_SHOWN = (
        "location_shown",
        gettext_lazy(
            "%(fleet)s can see the location of your car again, or at other times than before. This was changed on "
            "your sharing page. If it wasn't you, hide the location again on your page, and close the link."
        ),
    )
    SHARING_ENDED = (
        "sharing_ended",
        gettext_lazy(
            "Your car is no longer shared with %(fleet)s. This was requested on your sharing page. If it wasn't you, "
            "ask %(fleet)s for a new invitation, and close the link of your page."
        ),
    )


def queue_notice(*, page: DriverPortal, notice: DriverNotice, recipient: str = "") -> None:
    """Queues an email that tells the driver what has changed; to the portal's address, if there is any."""
    address = recipient or page.driver_email
    if address:
        queue_email(
            kind=DRIVER_NOTICE,
            object_id=page.pk,
            recipient=address,
            language=page.language,
            params={"notice": notice.value},
        )


def with_emails(kind: str, objects: Iterable[Object]) -> list[tuple[Object, OutgoingEmail | None]]:
    """Returns each object with its latest email of this kind, or None. One additional query."""
    objects = list(objects)
    emails = latest_emails(kind=kind, object_ids=[each.pk for each in objects])
    return [(each, emails.get(each.pk)) for each in objects]


def retry_with_message(request: HttpRequest, *, kind: str, object_id: int) -> None:
    """Sends a failed email again and adds a message for the next page. The caller has checked the permission."""
    if retry_latest(kind=kind, object_id=object_id, now=timezone.now()):
        messages.success(request, _("The email will be sent again."))
    else:
        messages.error(request, _("There's no failed email to resend."))


@sensitive_variables()
def _render_invitation(email: OutgoingEmail) -> RenderedEmail | None:
    found = Invitation.objects.select_related("fleet", "created_by", "connection__vehicle")
    invitation = found.filter(pk=email.object_id).first()
    if invitation is None or not invitation.open:
        return None
    return _render(invitation, "connect/invitations/mail.txt", subject="%(subject)s")


@sensitive_variables()
def _render_reminder(email: OutgoingEmail) -> RenderedEmail | None:
    found = DriverReminder.objects.select_related("invitation__fleet", "invitation__connection__vehicle")
    reminder = found.filter(pk=email.object_id).first()
    if reminder is None or not reminder.invitation.open:
        return None
    invitation = reminder.invitation
    counts = {"number": reminder.number, "limit": MAX_REMINDERS}
    return _render(invitation, "connect/reminders/mail.txt", subject=_("Reminder: %(subject)s"), **counts)


def _render(invitation: Invitation, template: str, *, subject: str, **context: object) -> RenderedEmail:
    fleet, connection = invitation.fleet, invitation.connection
    vehicle = vehicle_for_driver(connection.vehicle) if connection is not None else ""
    context |= {"invitation": invitation, "fleet": fleet, "vehicle": vehicle}
    with timezone.override(known_zone(fleet.time_zone)):
        text = render_to_string(template, context)
    return RenderedEmail(
        subject % {"subject": _invitation_subject(invitation, vehicle)}, text, reply_to=fleet.contact_email
    )


_SUBJECTS: dict[AuthorizationPurpose, Callable[[], str]] = {
    AuthorizationPurpose.SIGN_IN: lambda: _("%(fleet)s asks you to sign in again for %(vehicle)s"),
    AuthorizationPurpose.PERMISSIONS: lambda: _("%(fleet)s asks you for more permissions for %(vehicle)s"),
    AuthorizationPurpose.BATTERY: lambda: _("%(fleet)s asks you which battery %(vehicle)s has"),
}


def _invitation_subject(invitation: Invitation, vehicle: str) -> str:
    subject = _SUBJECTS.get(
        AuthorizationPurpose(invitation.purpose), lambda: _("%(fleet)s asks you to share your car")
    )
    return subject() % {"fleet": invitation.fleet, "vehicle": vehicle}


@sensitive_variables()
def _render_portal(email: OutgoingEmail) -> RenderedEmail | None:
    page = DriverPortal.objects.select_related("fleet").filter(pk=email.object_id, revoked_at=None).first()
    if page is None:
        return None
    context = {"page": page, "fleet": page.fleet, "replaced": page.earlier.exists()}
    # The driver may have chosen another language since.
    with activate(page.language):
        text = render_to_string("connect/driver_portal/mail.txt", context)
        subject = _("Your sharing page for %(fleet)s") % {"fleet": page.fleet}
    return RenderedEmail(subject, text, recipient=page.driver_email, reply_to=page.fleet.contact_email)


def _render_notice(email: OutgoingEmail) -> RenderedEmail | None:
    page = DriverPortal.objects.select_related("fleet").filter(pk=email.object_id).first()
    if page is None or email.params.get("notice") not in DriverNotice.values:
        return None
    with activate(page.language):
        text = str(DriverNotice(email.params["notice"]).label) % {"fleet": page.fleet}
        subject = _("Your sharing page for %(fleet)s") % {"fleet": page.fleet}
    return RenderedEmail(subject, f"{text}\n", reply_to=page.fleet.contact_email)
