from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from connect.invitations.models import Invitation
from connect.scopes import FLEET_SCOPES, NEEDED, SCOPES, in_order


class CapitalsField(forms.CharField):
    """Text in Smartcar's format for makes, countries and VINs: capitals, with underscores for spaces."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").upper().replace("-", "_").replace(" ", "_")


_COUNTRY = RegexValidator(r"^[A-Z]{2}$", _("Enter a two-letter country code, such as DE or US."))
_MAKE = RegexValidator(r"^[A-Z_]{2,40}$", _("Enter the name of a make, such as Tesla or Land Rover."))


class OwnVehicleForm(forms.Form):
    """A member's choices for an own vehicle; empty fields leave the choice to Smartcar Connect."""

    make = CapitalsField(required=False, validators=[_MAKE])
    country = CapitalsField(required=False, validators=[_COUNTRY])


class InvitationForm(forms.ModelForm[Invitation]):
    """A manager's choices for one driver; empty fields leave the choice to the driver.

    `initial` has the permissions that the fleet requests.
    """

    scopes = forms.MultipleChoiceField(
        choices=[(scope.name, scope.title) for scope in SCOPES],
        initial=FLEET_SCOPES,
        required=False,
    )
    mode = forms.ChoiceField(choices=[("live", _("Real vehicles")), ("simulated", _("Simulated vehicles"))])
    required_scopes = forms.MultipleChoiceField(
        choices=[(scope.name, scope.title) for scope in SCOPES], required=False
    )
    vin = CapitalsField(
        required=False,
        validators=[
            RegexValidator(r"^[A-HJ-NPR-Z0-9]{17}$", _("A VIN has 17 letters and digits, without I, O or Q."))
        ],
    )
    country = CapitalsField(required=False, validators=[_COUNTRY])
    make = CapitalsField(required=False, validators=[_MAKE])
    language = forms.ChoiceField(choices=[("", _("Browser default")), *settings.LANGUAGES], required=False)
    by_email = forms.BooleanField(required=False)

    class Meta:
        model = Invitation
        fields = [
            "driver_name",
            "driver_email",
            "language",
            "scopes",
            "required_scopes",
            "mode",
            "make",
            "single_select",
            "vin",
            "country",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"].initial = settings.SMARTCAR_MODE

    def clean_scopes(self) -> list[str]:
        """Returns the selected scopes in our order, including the required one."""
        chosen = {NEEDED, *self.cleaned_data["scopes"]}
        return in_order(chosen)

    def clean_required_scopes(self) -> list[str]:
        """Returns those of the required scopes that are requested."""
        requested = self.cleaned_data.get("scopes", [])
        return [name for name in requested if name in self.cleaned_data["required_scopes"]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("by_email") and not cleaned.get("driver_email") and "driver_email" not in self.errors:
            self.add_error("driver_email", _("Enter an email address to send the link."))
        return cleaned
