from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from vehicles.models import Place
from vehicles.places.coordinate_parsing import parse_degrees, parse_pair
from vehicles.places.models import LARGEST_M, SMALLEST_M
from vehicles.places.selectors import list_places
from vehicles.places.services import MAX_PLACES


class PlaceForm(forms.ModelForm[Place]):
    """A place of the fleet. Both coordinates, or a map link, can be pasted into either field."""

    latitude = forms.CharField(max_length=2000, label=gettext_lazy("Latitude"))
    longitude = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Longitude"),
        error_messages={
            "required": gettext_lazy("Enter the longitude, too, or paste both like this: 52.5163, 13.3777.")
        },
    )

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
        degrees = parse_degrees(self.cleaned_data[field], limit=limit, language=get_language() or "en")
        if degrees is None:
            raise forms.ValidationError(
                _("Enter degrees from -%(limit)s to %(limit)s, such as %(example)s.")
                % {"limit": limit, "example": example}
            )
        return round(degrees, 6)


def _split_coordinates(data: Any) -> dict[str, Any]:
    """Returns the submitted values. A coordinate pair in one of the fields is split into both."""
    values = {name: data.get(name, "") for name in ("name", "kind", "latitude", "longitude", "radius")}
    entered = [text for name in ("latitude", "longitude") if (text := values[name].strip())]
    if len(entered) == 1 and (pair := parse_pair(entered[0], language=get_language() or "en")):
        values["latitude"], values["longitude"] = pair
    return values
