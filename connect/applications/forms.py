"""The admin's form for an application. Secrets are write-only."""

import re
from typing import Any

from django import forms
from django.views.decorators.debug import sensitive_variables

from connect.applications.models import SmartcarApplication
from connect.applications.services import Secrets

_KEEP = "Leave empty to keep the stored value."


def _secret_field(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        strip=True,
        help_text=f"{help_text} {_KEEP}",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "size": 60}),
    )


class SmartcarApplicationForm(forms.ModelForm[SmartcarApplication]):
    """The credentials that docs/smartcar-application.md describes."""

    application_secret = _secret_field("Application secret", "For v2 tokens.")
    client_secret = _secret_field("Client secret", "Of the “API credentials”, for the v3 token.")
    management_tokens = _secret_field(
        "Application management tokens", "Sign the deliveries; several with spaces between, the newest first."
    )

    class Meta:
        model = SmartcarApplication
        fields = ("name", "application_id", "client_id", "webhook_id")

    @property
    @sensitive_variables()
    def secrets(self) -> Secrets:
        """The entered secrets; None for an empty field, which changes nothing."""
        cleaned: dict[str, Any] = self.cleaned_data
        tokens = (
            tuple(re.split(r"[\s,]+", cleaned["management_tokens"])) if cleaned["management_tokens"] else None
        )
        return Secrets(
            application_secret=cleaned["application_secret"] or None,
            client_secret=cleaned["client_secret"] or None,
            management_tokens=tokens,
        )
