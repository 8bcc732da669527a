from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.tokens.scopes import TokenScope


class TokenForm(forms.Form):
    """A new API token: its name, its lifetime, and whether it may send commands."""

    LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("Never expires"))]

    name = forms.CharField(max_length=60, error_messages={"required": _("Enter a name for the token.")})
    days = forms.TypedChoiceField(choices=LIFETIMES, coerce=int, empty_value=None, required=False)
    may_command = forms.BooleanField(required=False)
    password = forms.CharField(required=False, strip=False)


class ServiceAccountForm(forms.Form):
    """A new service account: its name, its lifetime, and its scopes. Reading vehicles is always included."""

    LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year"))]

    name = forms.CharField(
        max_length=60, error_messages={"required": _("Enter a name for the service account.")}
    )
    days = forms.TypedChoiceField(label=_("Expiration"), choices=LIFETIMES, coerce=int, initial="90")
    scopes = forms.MultipleChoiceField(choices=TokenScope.choices, required=False)
