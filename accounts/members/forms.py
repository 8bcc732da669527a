from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from accounts.forms import PASSWORD_HINT
from accounts.models import Role, User

# Drivers need no account: they use the driver portal (connect/driver_portal).
ROLES = [(role.value, role.label) for role in (Role.VIEWER, Role.MANAGER, Role.OWNER)]


class InviteForm(forms.Form):
    """The address, role and language of an invitation."""

    email = forms.EmailField(label=_("Email"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Role.VIEWER)
    language = forms.ChoiceField(label=_("Invitation language"), choices=settings.LANGUAGES)


class RoleForm(forms.Form):
    """A member's new role."""

    role = forms.ChoiceField(choices=ROLES)


class InvitationSignupForm(forms.Form):
    """Name and password of a new user who accepts an invitation."""

    first_name = forms.CharField(label=_("First name"), max_length=150)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    password = forms.CharField(
        label=_("Password"), help_text=PASSWORD_HINT, strip=False, widget=forms.PasswordInput
    )

    def __init__(self, *args: object, email: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._email = email
        for name, hint in (
            ("first_name", "given-name"),
            ("last_name", "family-name"),
            ("password", "new-password"),
        ):
            self.fields[name].widget.attrs["autocomplete"] = hint

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        if "password" in cleaned:
            new_user = User(
                email=self._email,
                first_name=cleaned.get("first_name", ""),
                last_name=cleaned.get("last_name", ""),
            )
            try:
                password_validation.validate_password(cleaned["password"], new_user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
