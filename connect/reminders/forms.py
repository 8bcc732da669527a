from typing import Any

from django import forms
from django.utils.translation import gettext as _


class RemindersForm(forms.Form):
    """Whether drivers are asked and reminded automatically, and when not."""

    enabled = forms.BooleanField(required=False)
    quiet_from = forms.TimeField()
    quiet_until = forms.TimeField()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if begins is not None and begins == ends:
            raise forms.ValidationError(_("Quiet hours begin and end at different times."))
        return cleaned
