"""Service accounts: access of programs to a fleet that belongs to the fleet, not to a person.

A service account is an API token without a user. An owner creates it with scopes and an expiry; it survives the leaving
of the owner.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import ApiToken, Fleet, User
from accounts.tokens.scopes import TokenScope
from accounts.tokens.services import IssuedToken, set_secret


def list_service_accounts(*, fleet: Fleet) -> QuerySet[ApiToken]:
    """Returns the fleet's service accounts, also revoked and expired ones, newest first."""
    return ApiToken.objects.filter(fleet=fleet, user=None).select_related("created_by", "fleet")


@transaction.atomic
def create_service_account(
    *, fleet: Fleet, actor: User, name: str, scopes: list[TokenScope], expires_at: datetime
) -> IssuedToken:
    """Creates a service account with its token, for an owner. The caller has checked the permission."""
    granted = sorted({TokenScope.VEHICLES_READ, *scopes})
    account = ApiToken(
        fleet=fleet,
        created_by=actor,
        name=name,
        scopes=granted,
        may_command=TokenScope.COMMANDS_SEND in granted,
        expires_at=expires_at,
    )
    secret = set_secret(account)
    account.save()
    log_event(
        fleet=fleet,
        actor=actor,
        event=AuditEvent.SERVICE_ACCOUNT_CREATED,
        about=(AuditObject.SERVICE_ACCOUNT, account.pk),
        data={"name": str(account), "token_scopes": granted},
    )
    return IssuedToken(token=account, secret=secret)
