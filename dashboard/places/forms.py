from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vehicles.models import Place
from vehicles.places.coordinate_parsing import parse_degrees, parse_pair
from vehicles.places.models import LARGEST_M, SMALLEST_M
from vehicles.places.selectors import list_places
from vehicles.places.services import MAX_PLACES


class PlaceForm(forms.ModelForm[Place]):
    """A place of the fleet. Both coordinates can be pasted into the latitude field."""

    latitude = forms.CharField(max_length=60, label=gettext_lazy("Latitude"))
    longitude = forms.CharField(max_length=30, label=gettext_lazy("Longitude"))

    class Meta:
        model = Place
        fields = ("name", "kind", "latitude", "longitude", "radius")
        labels = {
            "name": gettext_lazy("Name"),
            "kind": gettext_lazy("Type"),
            "radius": gettext_lazy("Radius (meters)"),
        }

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(_split_coordinates(data) if data is not None else None, **kwargs)

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        others = list_places(fleet=self.instance.fleet).exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(
                _("This fleet already has a place named “%(name)s”. Choose another name.") % {"name": name}
            )
        return name

    def clean_latitude(self) -> float:
        return self._degrees("latitude", limit=90, example="37.8044")

    def clean_longitude(self) -> float:
        return self._degrees("longitude", limit=180, example="-122.2708")

    def clean_radius(self) -> int:
        radius: int = self.cleaned_data["radius"]
        if not SMALLEST_M <= radius <= LARGEST_M:
            raise forms.ValidationError(
                _("Enter a radius from %(least)s to %(most)s meters.")
                % {"least": SMALLEST_M, "most": LARGEST_M}
            )
        return radius

    def clean(self) -> dict[str, Any]:
        if self.instance.pk is None and list_places(fleet=self.instance.fleet).count() >= MAX_PLACES:
            raise forms.ValidationError(
                _("A fleet can have up to %(most)s places. Delete one before adding another.")
                % {"most": MAX_PLACES}
            )
        return super().clean() or self.cleaned_data

    def _degrees(self, field: str, *, limit: int, example: str) -> float:
        degrees = parse_degrees(self.cleaned_data[field], limit=limit)
        if degrees is None:
            raise forms.ValidationError(
                _("Enter degrees from -%(limit)s to %(limit)s, such as %(example)s.")
                % {"limit": limit, "example": example}
            )
        return round(degrees, 6)


def _split_coordinates(data: Any) -> dict[str, Any]:
    """Returns the submitted values. A coordinate pair in the latitude field is split into both fields."""
    values = {name: data.get(name, "") for name in ("name", "kind", "latitude", "longitude", "radius")}
    if not values["longitude"].strip() and (pair := parse_pair(values["latitude"])):
        values["latitude"], values["longitude"] = pair
    return values
