from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connect.compatibility import regions
from connect.invitations.forms import CapitalsField


class VehicleForm(forms.Form):
    """The vehicle to check: by VIN, or by make, model, model year and region."""

    vin = CapitalsField(required=False, label=gettext_lazy("VIN"))
    make = forms.CharField(required=False, max_length=40, label=gettext_lazy("Make"))
    model = forms.CharField(required=False, max_length=60, label=gettext_lazy("Model"))
    year = forms.IntegerField(
        required=False,
        label=gettext_lazy("Model year"),
        validators=[MinValueValidator(1980), MaxValueValidator(2100)],
    )
    region = forms.ChoiceField(choices=regions.CHOICES, required=False, label=gettext_lazy("Region"))

    def clean_vin(self) -> str:
        vin = str(self.cleaned_data["vin"]).replace("_", "")
        if vin and (len(vin) != 17 or not vin.isascii() or not vin.isalnum() or set(vin) & set("IOQ")):
            raise forms.ValidationError(_("A VIN has 17 letters and digits, without I, O or Q."))
        return vin

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("vin") and "vin" not in self.errors and not cleaned.get("make"):
            self.add_error("make", _("Enter a make, or a VIN."))
        return cleaned
