from typing import Any

from django import forms
from django.utils.translation import gettext as _

from connect.status.states import AuthorizationPurpose


class LinkForm(forms.Form):
    """A new link for a driver: its purpose, the driver, and whether to send an email."""

    purpose = forms.ChoiceField(choices=AuthorizationPurpose.choices)
    driver_name = forms.CharField(max_length=80)
    driver_email = forms.EmailField(required=False)
    by_email = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("by_email") and not cleaned.get("driver_email") and "driver_email" not in self.errors:
            self.add_error("driver_email", _("Enter an email address to send the link."))
        return cleaned
