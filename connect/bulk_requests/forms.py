from typing import Any

from django import forms

from connect.bulk_requests.selectors import PURPOSES
from connect.status.states import AuthorizationPurpose


class BulkRequestForm(forms.Form):
    """Whom to ask for what. Signing in again needs a make."""

    purpose = forms.ChoiceField(choices=[(purpose.value, purpose.label) for purpose in PURPOSES])
    make = forms.CharField(max_length=60, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("purpose") == AuthorizationPurpose.SIGN_IN and not cleaned.get("make"):
            self.add_error("make", "A make is required.")
        return cleaned
