"""Account data for the tests: a second factor, a passkey, an unconfirmed email address and a password reset."""

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from accounts.models import Fleet, MemberInvitation, Membership, Role, User
from core.signed_links import hash_token

PASSWORD = "a long enough passphrase"


def set_up_accounts(*, fleet: Fleet, users: dict[str, User]) -> dict[str, Any]:
    """Set up two-factor authentication, a new email address and a member invitation, and return the URL arguments."""
    owner, manager = users["owner"], users["manager"]
    for user in (owner, manager):
        user.set_password(PASSWORD)
        user.save()
    TOTP.activate(manager, generate_totp_secret())
    RecoveryCodes.activate(manager)
    passkey = Authenticator.objects.create(
        user=manager, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop", "credential": _credential()}
    )
    new_address = EmailAddress.objects.create(user=manager, email="new@fleet.example", verified=False)
    invitation = MemberInvitation(
        fleet=fleet, created_by=owner, email="casey@fleet.example", role=Role.VIEWER, by_email=False
    )
    invitation.secret_hash = hash_token(invitation.secret)
    invitation.save()
    return {
        "accounts:invitation secret": invitation.secret,
        "accounts:members_resend invitation_id": invitation.pk,
        "accounts:members_revoke invitation_id": invitation.pk,
        "membership_id": Membership.objects.get(fleet=fleet, user=manager).pk,
        "pk": passkey.pk,
        "account_confirm_email key": EmailConfirmationHMAC(new_address).key,
        "uidb36": user_pk_to_url_str(owner),
        "key": default_token_generator.make_token(owner),
    }


def _credential() -> dict[str, Any]:
    """Return the credential that a browser sends when a passkey is created."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())  # type: ignore[no-untyped-call]
    data = AuthenticatorData.create(
        sha256(b"localhost"),
        AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT,
        0,
        AttestedCredentialData.create(Aaguid.NONE, b"laptop", key),
    )
    client_data = CollectedClientData.create(
        type="webauthn.create", challenge=b"asked", origin="http://localhost"
    )
    return {
        "id": websafe_encode(b"laptop"),
        "rawId": websafe_encode(b"laptop"),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }
