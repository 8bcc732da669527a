from datetime import timedelta
from typing import Any

from django import forms

from connect.offboarding.models import ErasureScope

PAUSES: dict[str, timedelta | None] = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=24),
    "open": None,
}


class PauseForm(forms.Form):
    """How long to hide the location."""

    lasts = forms.ChoiceField(choices=[(name, name) for name in PAUSES])


class EraseForm(forms.Form):
    """Which recorded data to delete."""

    extent = forms.ChoiceField(choices=ErasureScope.choices)


class HoursForm(forms.Form):
    """The working hours in which the location is visible."""

    starts = forms.TimeField()
    ends = forms.TimeField()
    weekdays_only = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("starts") is not None and cleaned.get("starts") == cleaned.get("ends"):
            raise forms.ValidationError("Working hours begin and end at different times.")
        return cleaned
