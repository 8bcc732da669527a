"""Saves applications, and selects one for a fleet."""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from connect.applications import registry
from connect.applications.models import FleetApplication, SmartcarApplication
from core import encryption


@dataclass(frozen=True, slots=True)
class Secrets:
    """New secrets of an application; None changes nothing. The management token in use comes first."""

    application_secret: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    management_tokens: tuple[str, ...] | None = field(default=None, repr=False)


@sensitive_variables()
def save_application(*, row: SmartcarApplication, secrets: Secrets) -> SmartcarApplication:
    """Saves a new or changed application and encrypts its new secrets."""
    if secrets.application_secret is not None:
        row.application_secret_ciphertext = _encrypted(secrets.application_secret)
    if secrets.client_secret is not None:
        row.client_secret_ciphertext = _encrypted(secrets.client_secret)
    if secrets.management_tokens is not None:
        row.management_tokens_ciphertext = _encrypted("\n".join(secrets.management_tokens))
    row.save()
    registry.clear_key_cache()
    return row


@sensitive_variables()
def _encrypted(secret: str) -> bytes:
    return encryption.encrypt(secret) if secret else b""


@transaction.atomic
def choose_application(*, fleet: Fleet, application: SmartcarApplication | None, actor: User | None) -> None:
    """Sets the application for the fleet's new connections; None is the one in the settings.

    Existing connections keep their application.
    """
    if application is None:
        FleetApplication.objects.filter(fleet=fleet).delete()
    else:
        FleetApplication.objects.update_or_create(
            fleet=fleet, defaults={"application": application, "since": timezone.now()}
        )
    log_event(
        fleet=fleet,
        actor=actor,
        event=AuditEvent.APPLICATION_CHOSEN,
        about=None if application is None else (AuditObject.APPLICATION, application.pk),
        data={"name": registry.ENVIRONMENT if application is None else application.name},
    )
