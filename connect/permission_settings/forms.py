from django import forms

from connect.scopes import SCOPES


class PermissionsForm(forms.Form):
    """The permissions that the fleet requests."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.name, scope.title) for scope in SCOPES], required=False
    )
