from typing import Any

from django import forms
from django.utils.translation import gettext as _

from connect.offboarding.models import ErasureScope


class OffboardingForm(forms.Form):
    """The options of an offboarding. Erasure requires a confirmation, because it can't be undone."""

    extent = forms.ChoiceField(choices=ErasureScope.choices, initial=ErasureScope.NOTHING)
    sure = forms.BooleanField(required=False)
    connection = forms.IntegerField(required=False, min_value=1)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("extent", ErasureScope.NOTHING) != ErasureScope.NOTHING and not cleaned.get("sure"):
            self.add_error("sure", _("Deletion can't be undone. Select the checkbox to confirm."))
        return cleaned
