"""Emails as files in the folder `settings.DEMO_EMAIL_FOLDER`, one per message."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedEmail
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_NAME = re.compile(r"[0-9]{13}-[0-9a-f]{8}", re.ASCII)


class FolderBackend(BaseEmailBackend):
    """Django's email backend of the demo."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            path = folder / f"{time.time_ns() // 1_000_000:013}-{secrets.token_hex(4)}.eml"
            unfinished = path.with_suffix(".new")
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.replace(path)
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """An email as it would have been sent. `name` identifies it."""

    name: str
    sent_at: datetime
    sender: str
    recipient: str
    subject: str
    text: str


def list_emails(*, limit: int) -> list[StoredEmail]:
    """Returns the newest emails, newest first."""
    names = sorted(
        (path.stem for path in _folder().glob("*.eml") if _NAME.fullmatch(path.stem)), reverse=True
    )
    found = (read_email(name) for name in names[:limit])
    return [each for each in found if each is not None]


def read_email(name: str) -> StoredEmail | None:
    """Returns the email with this name, None if there is none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        raw = (_folder() / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        return None
    message = message_from_bytes(raw, _class=ParsedEmail, policy=policy.default)
    body = message.get_body(preferencelist=("plain",))
    return StoredEmail(
        name=name,
        sent_at=datetime.fromtimestamp(int(name[:13]) / 1000, UTC),
        sender=str(message["From"] or ""),
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=body.get_content().strip() if body is not None else "",
    )


def _folder() -> Path:
    return Path(settings.DEMO_EMAIL_FOLDER)
