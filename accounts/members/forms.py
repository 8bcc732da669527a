from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from accounts.forms import PASSWORD_HINT
from accounts.models import Role, User

# Drivers need no account: they have a page of their own (connect/driver_portal).
ROLES = [(role.value, role.label) for role in (Role.VIEWER, Role.MANAGER, Role.OWNER)]


class InviteForm(forms.Form):
    """Whom an owner invites, as what, and in which language the invitation is written."""

    email = forms.EmailField(label=_("Email"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Role.VIEWER)
    language = forms.ChoiceField(label=_("Invitation language"), choices=settings.LANGUAGES)


class RoleForm(forms.Form):
    """The role that a member is to have."""

    role = forms.ChoiceField(choices=ROLES)


class InvitationSignupForm(forms.Form):
    """What a new person chooses: name and password."""

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
            person = User(
                email=self._email,
                first_name=cleaned.get("first_name", ""),
                last_name=cleaned.get("last_name", ""),
            )
            try:
                password_validation.validate_password(cleaned["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
