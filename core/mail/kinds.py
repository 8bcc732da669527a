"""The kinds of email. Each app registers its own at start-up, so that this package imports no other app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.signals import post_delete
from django_stubs_ext import StrOrPromise

if TYPE_CHECKING:
    from core.mail.models import OutgoingEmail


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """What is sent. `recipient` replaces the queued address, for users whose address may change meanwhile.

    Replies go to `reply_to`, or to the sender if it is empty.
    """

    subject: str
    text: str
    recipient: str = ""
    reply_to: str = ""

    def __repr__(self) -> str:
        return "RenderedEmail()"


Renderer = Callable[["OutgoingEmail"], RenderedEmail | None]


@dataclass(frozen=True, slots=True)
class EmailKind:
    """A kind of email: the model its object belongs to, and its renderer.

    The renderer runs in the email's language and outside of any transaction. It returns None when the email is no
    longer wanted, for example because the object was deleted or revoked.
    """

    code: str
    label: StrOrPromise
    model: type[models.Model]
    render: Renderer


_kinds: dict[str, EmailKind] = {}


def register(kind: EmailKind) -> None:
    """Registers a kind, at start-up. When its object is deleted, its emails are deleted too."""
    _kinds[kind.code] = kind
    post_delete.connect(_delete_emails, sender=kind.model, dispatch_uid="core.mail")


def get_kind(code: str) -> EmailKind | None:
    """The registered kind, or None, for example for a kind of a newer version."""
    return _kinds.get(code)


def kind_label(code: str) -> str:
    """The name of a kind, in the active language."""
    kind = get_kind(code)
    return str(kind.label) if kind is not None else code


def _delete_emails(*, sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    from core.mail.models import OutgoingEmail

    codes = [kind.code for kind in _kinds.values() if kind.model is sender]
    OutgoingEmail.objects.filter(kind__in=codes, object_id=instance.pk).delete()
