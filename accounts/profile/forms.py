from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Theme, User


class ProfileForm(forms.ModelForm[User]):
    """A user's own name, language and theme."""

    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("Browser default")), *settings.LANGUAGES], required=False
    )
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices, required=False)

    class Meta:
        model = User
        fields = ["first_name", "last_name", "language", "theme"]
        labels = {"first_name": _("First name"), "last_name": _("Last name")}
