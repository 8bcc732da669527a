"""The email that invites a person to a fleet."""

from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from accounts.models import MemberInvitation, User
from core.mail.kinds import EmailKind, RenderedEmail, register
from core.mail.models import OutgoingEmail
from core.mail.services import latest_emails, queue_email

INVITATION = "accounts.member_invitation"


def register_emails() -> None:
    """Registers the email kind at start-up."""
    register(EmailKind(INVITATION, gettext_lazy("Fleet invitation"), MemberInvitation, _render))


def queue_invitation(*, invitation: MemberInvitation, user: User) -> None:
    """Queues the email with the invitation link, replacing one that is still pending."""
    queue_email(
        kind=INVITATION,
        object_id=invitation.pk,
        recipient=invitation.email,
        language=invitation.language,
        created_by=user,
        replace=True,
    )


def with_emails(
    invitations: Iterable[MemberInvitation],
) -> list[tuple[MemberInvitation, OutgoingEmail | None]]:
    """Returns each invitation with its newest email, or None if none was queued. Needs one more query."""
    invitations = list(invitations)
    emails = latest_emails(kind=INVITATION, object_ids=[each.pk for each in invitations])
    return [(each, emails.get(each.pk)) for each in invitations]


@sensitive_variables()
def _render(email: OutgoingEmail) -> RenderedEmail | None:
    found = MemberInvitation.objects.select_related("fleet", "created_by").filter(pk=email.object_id)
    invitation = found.first()
    if invitation is None or not invitation.open:
        return None
    subject = _("%(fleet)s invited you to Smartcar Fleet") % {"fleet": invitation.fleet}
    return RenderedEmail(subject, render_to_string("accounts/members/mail.txt", {"invitation": invitation}))
