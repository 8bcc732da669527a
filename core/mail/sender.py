"""The one sender of emails.

An attempt takes a lease on the row with a conditional UPDATE, so that of several workers only one makes the attempt.
Rendering and SMTP run outside of any transaction and lock. The result is recorded as soon as the server has answered,
before the connection is closed. A watchdog ends the connection before the lease does.

An email can arrive twice in one case only: the whole message was sent, and the server's response was lost, by a
dropped connection or by the death of the process. Whether the server accepted the email is then unknown, so the email
is sent again under the same Message-ID, by which mail systems recognize the copy.
"""

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from socket import SHUT_RDWR
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import OperationalError
from django.db import connection as db_connection
from django.db.models import F
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_variables

from core.mail.kinds import RenderedEmail, get_kind
from core.mail.models import EmailError, EmailState, OutgoingEmail
from core.mail.services import due_at

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
# The connection is closed this long before the lease ends.
_MARGIN = timedelta(minutes=1)
# Seconds between attempts to record a success while the database is unavailable.
_RECORDING_PAUSES = (1, 2, 4, 8, 16)
MIN_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=2)
# Addresses, links and long runs of letters and digits (tokens).
_PRIVATE = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?|\w+://\S+|\w{24,}")


class _Failure(NamedTuple):
    """Why an attempt failed. A final failure isn't retried."""

    error: EmailError
    code: int | None = None
    response: str = ""
    final: bool = False


def send(*, email_id: int, now: datetime) -> None:
    """Makes one attempt to send the email, if an attempt is due and no other worker is making one.

    Must not be called within a transaction.
    """
    email = _claim(email_id, now=now)
    if email is None:
        return
    if now >= email.give_up_at:
        error = EmailError(email.error) if email.error else EmailError.TOO_LATE
        _record_failure(
            email, _Failure(error, email.error_params.get("code"), email.smtp_response, final=True)
        )
        return
    rendered = _render(email)
    if isinstance(rendered, _Failure):
        _record_failure(email, rendered)
    elif rendered is None:
        _update(email, state=EmailState.CANCELED, finished_at=timezone.now())
    else:
        _deliver(email, rendered)


def _claim(email_id: int, *, now: datetime) -> OutgoingEmail | None:
    """Takes the lease. Returns None if no attempt is due or another worker was faster."""
    if not settings.EMAIL_ENABLED:
        return None
    claimed = OutgoingEmail.objects.filter(due_at(now), pk=email_id).update(
        state=EmailState.SENDING, leased_until=timezone.now() + LEASE, attempts=F("attempts") + 1
    )
    return OutgoingEmail.objects.filter(pk=email_id).first() if claimed else None


@sensitive_variables()
def _render(email: OutgoingEmail) -> RenderedEmail | _Failure | None:
    kind = get_kind(email.kind)
    if kind is None:
        logger.error("Email %s has the unknown kind %s.", email.pk, email.kind)
        return _Failure(EmailError.NOT_RENDERED)
    language = email.language if email.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    try:
        with translation.override(language):
            return kind.render(email)
    except Exception as error:  # noqa: BLE001  (whatever a renderer raises)
        # A message of an exception may quote personal data.
        logger.error("Email %s (%s) couldn't be rendered: %s.", email.pk, email.kind, type(error).__name__)
        return _Failure(EmailError.NOT_RENDERED)


@sensitive_variables()
def _deliver(email: OutgoingEmail, rendered: RenderedEmail) -> None:
    message = EmailMessage(
        " ".join(rendered.subject.split()),
        rendered.text,
        to=[rendered.recipient or email.recipient],
        reply_to=[rendered.reply_to] if rendered.reply_to else None,
        headers={"Message-ID": email.message_id, "Auto-Submitted": "auto-generated"},
    )
    connection = get_connection()
    try:
        with _deadline(connection, seconds=(LEASE - _MARGIN).total_seconds()):
            failure = _open(connection) or _hand_over(email, connection, message)
        if failure is None:
            _record_sent(email, recipient=message.to[0])
        else:
            _record_failure(email, failure)
    finally:
        with suppress(SMTPException, OSError):
            connection.close()


def _open(connection: BaseEmailBackend) -> _Failure | None:
    """Connects, and signs in. Nothing of the message is sent yet."""
    try:
        connection.open()
    except (SMTPException, OSError) as error:
        return _before_message(error)
    return None


def _hand_over(email: OutgoingEmail, connection: BaseEmailBackend, message: EmailMessage) -> _Failure | None:
    if not _renew_lease(email):
        return _Failure(EmailError.INTERRUPTED)
    try:
        connection.send_messages([message])
    except (SMTPException, OSError) as error:
        return _during_message(error)
    except ValueError:  # an address or header that no message can have
        return _Failure(EmailError.NOT_RENDERED, final=True)
    return None


def _renew_lease(email: OutgoingEmail) -> bool:
    """Extends the lease before the message is sent. False when the lease was lost to another worker."""
    return _update(email, leased_until=timezone.now() + LEASE)


@contextmanager
def _deadline(connection: BaseEmailBackend, *, seconds: float) -> Iterator[None]:
    """Shuts the socket down after `seconds`, so that no attempt outlasts its lease, even if the server is slow."""
    watchdog = threading.Timer(seconds, _shut_down, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _shut_down(connection: BaseEmailBackend) -> None:
    sock = getattr(getattr(connection, "connection", None), "sock", None)
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(SHUT_RDWR)


def _before_message(error: Exception) -> _Failure:
    """Why no connection was made: a matter of the site's settings or of the server's, so never final."""
    if isinstance(error, SMTPAuthenticationError):
        return _Failure(EmailError.SIGN_IN_FAILED, error.smtp_code, _scrub(error.smtp_error))
    if isinstance(error, SMTPConnectError | SMTPHeloError):
        return _Failure(EmailError.DEFERRED, error.smtp_code, _scrub(error.smtp_error))
    return _Failure(EmailError.UNREACHABLE)


def _during_message(error: Exception) -> _Failure:
    if isinstance(error, SMTPRecipientsRefused):
        code, response = next(iter(error.recipients.values()))
        return _answered(EmailError.RECIPIENT_REJECTED, code, response, final=True)
    if isinstance(error, SMTPSenderRefused):
        return _answered(EmailError.SENDER_REJECTED, error.smtp_code, error.smtp_error, final=False)
    if isinstance(error, SMTPDataError):
        return _answered(EmailError.MESSAGE_REJECTED, error.smtp_code, error.smtp_error, final=True)
    if isinstance(error, SMTPResponseException):
        return _answered(EmailError.DEFERRED, error.smtp_code, error.smtp_error, final=False)
    if isinstance(error, SMTPNotSupportedError):
        return _Failure(EmailError.RECIPIENT_REJECTED, final=True)
    return _Failure(EmailError.CONNECTION_LOST)


def _answered(error: EmailError, code: int, response: bytes | str, *, final: bool) -> _Failure:
    """Returns the failure for a rejection: 4xx is temporary, 5xx is final if `final` is set."""
    if code < 500:
        return _Failure(EmailError.DEFERRED, code, _scrub(response))
    return _Failure(error, code, _scrub(response), final)


def _scrub(response: bytes | str) -> str:
    """Returns the first line of a server's response without addresses, links and tokens."""
    text = response.decode(errors="replace") if isinstance(response, bytes) else response
    return _PRIVATE.sub("…", text.strip().partition("\n")[0].strip())[:200]


def _record_sent(email: OutgoingEmail, *, recipient: str) -> None:
    """Records the success even if the lease was lost meanwhile: a delivered email must not be sent again.

    Outlasts a restart of the database server.
    """
    now = timezone.now()
    values = {
        "state": EmailState.SENT,
        "recipient": recipient,
        "sent_at": now,
        "finished_at": now,
        "leased_until": None,
        "error": "",
        "error_params": {},
        "smtp_response": "",
    }
    for seconds in _RECORDING_PAUSES:
        try:
            OutgoingEmail.objects.filter(pk=email.pk).update(**values)
        except OperationalError:
            db_connection.close()
            time.sleep(seconds)
        else:
            return
    OutgoingEmail.objects.filter(pk=email.pk).update(**values)


def _record_failure(email: OutgoingEmail, failure: _Failure) -> None:
    """Schedules the next attempt, or gives up when the failure is final or the next attempt would be too late."""
    now = timezone.now()
    next_attempt_at = now + _pause(email, now=now)
    failed = failure.final or next_attempt_at >= email.give_up_at
    _update(
        email,
        state=EmailState.FAILED if failed else EmailState.PENDING,
        next_attempt_at=next_attempt_at,
        finished_at=now if failed else None,
        leased_until=None,
        error=failure.error,
        error_params={} if failure.code is None else {"code": failure.code},
        smtp_response=failure.response,
    )
    logger.warning(
        "Email %s (%s) wasn't sent: %s%s.",
        email.pk,
        email.kind,
        failure.error.value,
        "" if failed else ", will be retried",
    )


def _pause(email: OutgoingEmail, *, now: datetime) -> timedelta:
    """The pause before the next attempt: as long again as the email has been waiting, within the limits."""
    return min(max(now - email.queued_at, MIN_PAUSE), MAX_PAUSE)


def _update(email: OutgoingEmail, **values: Any) -> bool:
    """Changes the row while this attempt holds the lease. False when another attempt has begun."""
    mine = OutgoingEmail.objects.filter(pk=email.pk, state=EmailState.SENDING, attempts=email.attempts)
    return mine.update(**values) == 1
