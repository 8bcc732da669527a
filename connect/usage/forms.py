"""What a manager may set of the request budget."""

from django import forms


class MonthlyLimitForm(forms.Form):
    """Calls a month for each car: empty for what the settings say, 0 for no limit."""

    calls = forms.IntegerField(required=False, min_value=0, max_value=1_000_000)
