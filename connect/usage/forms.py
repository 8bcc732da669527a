"""The form for a fleet's monthly limit."""

from django import forms


class MonthlyLimitForm(forms.Form):
    """API calls per vehicle and month: empty for the default in the settings, 0 for no limit."""

    calls = forms.IntegerField(required=False, min_value=0, max_value=1_000_000)
