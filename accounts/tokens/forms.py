from django import forms


class TokenForm(forms.Form):
    """A new token of the API: what it is for, how long it lasts, and whether it may send commands."""

    LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "No end")]

    name = forms.CharField(max_length=60, error_messages={"required": "Say what the token is for."})
    days = forms.TypedChoiceField(choices=LIFETIMES, coerce=int, empty_value=None, required=False)
    may_command = forms.BooleanField(required=False)
    password = forms.CharField(required=False, strip=False)
