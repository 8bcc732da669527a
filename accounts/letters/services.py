"""Letters about a person's account: written down in the request, sent by a worker.

So an answer takes as long whether an address is known or not, and a mail server in trouble breaks no page.
"""

from datetime import timedelta
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_variables

from accounts.letters import words
from accounts.letters.models import Kind, Letter
from accounts.models import User
from core.task_queue import enqueue_on_commit

# A mail server that refuses for longer than this will not take it at all, and links of letters end.
_PATIENCE = timedelta(days=1)
_KEPT = timedelta(days=30)


def post(*, user: User, kind: str, address: str, told: dict[str, str]) -> None:
    """Has a letter sent, in the person's language. Where the site sends no e-mail nothing is written down."""
    if not settings.EMAIL_ENABLED:
        return
    language = user.language or translation.get_language() or settings.LANGUAGE_CODE
    letter = Letter.objects.create(user=user, kind=Kind(kind), address=address, language=language, told=told)
    enqueue_on_commit("accounts.tasks.mail_letter", letter.pk)


def unsent() -> list[int]:
    """The ids of letters that are still to be sent."""
    waiting = Letter.objects.filter(sent_at=None, created_at__gt=timezone.now() - _PATIENCE)
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:50])


def forget() -> None:
    """Drops letters that are a month old."""
    Letter.objects.filter(created_at__lt=timezone.now() - _KEPT).delete()


@transaction.atomic
@sensitive_variables()
def send(*, letter_id: int) -> None:
    """Sends the letter, if it was not sent yet; a refusal is kept with it, and it is tried again."""
    mine = Letter.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
    letter = mine.filter(pk=letter_id, sent_at=None, user__is_active=True).first()
    if letter is None:
        return
    with translation.override(letter.language):
        written = _written(letter)
    if written is None:
        letter.delete()
        return
    subject, text = written
    try:
        send_mail(subject=subject, message=text, from_email=None, recipient_list=[letter.address])
    except (SMTPException, OSError) as error:
        # The server's own words may repeat addresses.
        letter.error = f"The mail server did not take it ({type(error).__name__})."
    else:
        letter.sent_at, letter.error = timezone.now(), ""
    letter.save(update_fields=["sent_at", "error"])


@sensitive_variables()
def _written(letter: Letter) -> tuple[str, str] | None:
    """Subject and text; None when it has become pointless."""
    told: dict[str, object] = {"letter": letter, "site": settings.SITE_URL}
    if letter.kind == Kind.PASSWORD_RESET:
        told["link"] = _reset_link(letter.user)
    elif letter.kind == Kind.CONFIRM_ADDRESS:
        link = _confirmation_link(letter)
        if link is None:
            return None
        told["link"] = link
    else:
        headline, sentence = words.news(kind=letter.kind, told=letter.told)
        told |= {"headline": headline, "sentence": sentence}
    parts = render_to_string(f"accounts/emails/{_template(letter.kind)}.txt", told).split("\n", 1)
    return parts[0].strip(), parts[1].strip() + "\n"


def _template(kind: str) -> str:
    return {Kind.PASSWORD_RESET: "password_reset", Kind.CONFIRM_ADDRESS: "confirm_address"}.get(
        Kind(kind), "account_changed"
    )


@sensitive_variables()
def _reset_link(user: User) -> str:
    key = default_token_generator.make_token(user)
    return _address("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=key)


@sensitive_variables()
def _confirmation_link(letter: Letter) -> str | None:
    pending = EmailAddress.objects.filter(user=letter.user, email=letter.address, verified=False).first()
    return _address("account_confirm_email", key=EmailConfirmationHMAC(pending).key) if pending else None


def _address(view: str, **kwargs: str) -> str:
    return f"{settings.SITE_URL}{reverse(view, kwargs=kwargs)}"
