"""A software passkey: the part of a browser and its authenticator that the server sees."""

import hashlib
import json
import secrets
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from accounts.models import User

ORIGIN = "https://testserver"
Flag = AuthenticatorData.FLAG


class SoftPasskey:
    """A passkey of the user, registered for the host of Django's test client."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._id = secrets.token_bytes(16)
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.row = Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": "Soft", "credential": self._registration()},
        )

    def answer(self, options: dict[str, Any], *, verified: bool = True, origin: str = ORIGIN) -> str:
        """Returns the JSON that the browser sends in response to the server's options."""
        client = self._client("webauthn.get", options["publicKey"]["challenge"], origin)
        data = self._data(Flag.UP | Flag.UV if verified else Flag.UP)
        signature = self._private.sign(
            bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(bytes(data)),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(user_pk_to_url_str(self.user).encode()),
        }
        return json.dumps(self._credential(response))

    def _registration(self) -> dict[str, Any]:
        public = ES256.from_cryptography_key(self._private.public_key())  # type: ignore[no-untyped-call]
        attested = AttestedCredentialData.create(b"\0" * 16, self._id, public)
        data = self._data(Flag.UP | Flag.UV | Flag.AT, bytes(attested))
        client = self._client("webauthn.create", websafe_encode(secrets.token_bytes(32)), ORIGIN)
        response = {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(bytes(AttestationObject.create("none", data, {}))),
        }
        return self._credential(response)

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        credential_id = websafe_encode(self._id)
        return {
            "id": credential_id,
            "rawId": credential_id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }

    @staticmethod
    def _client(kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()

    @staticmethod
    def _data(flags: Flag, attested: bytes = b"") -> AuthenticatorData:
        data: AuthenticatorData = AuthenticatorData.create(
            hashlib.sha256(b"testserver").digest(), flags, 1, attested
        )
        return data
