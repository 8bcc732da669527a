"""A second Smartcar application: in the simulator, and as a row in the database."""

import uuid
from secrets import token_urlsafe

import httpx

from connect.applications import services
from connect.applications.models import SmartcarApplication
from connect.applications.services import Secrets


def second_application(smartcar: str, *, name: str = "Second") -> SmartcarApplication:
    """Creates a new application. The simulator forgets it after the test."""
    secret, client_secret, token = token_urlsafe(16), token_urlsafe(16), token_urlsafe(16)
    row = SmartcarApplication(
        name=name,
        application_id=str(uuid.uuid4()),
        client_id=f"client_{token_urlsafe(8)}",
        webhook_id=str(uuid.uuid4()),
    )
    body = {
        "applicationId": row.application_id,
        "applicationSecret": secret,
        "clientId": row.client_id,
        "clientSecret": client_secret,
        "managementTokens": [token],
    }
    httpx.post(f"{smartcar}/control/applications", json=body, timeout=30).raise_for_status()
    secrets = Secrets(application_secret=secret, client_secret=client_secret, management_tokens=(token,))
    return services.save_application(row=row, secrets=secrets)
