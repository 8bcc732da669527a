"""What members choose about notices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import HIGHEST, LOWEST
from alerts.types import Kind


class ChoiceForm(forms.Form):
    """The kinds that one member wants, in the bell and by e-mail; only those offered to the role."""

    in_bell = forms.MultipleChoiceField(required=False)
    by_mail = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, kinds: frozenset[Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(kind.value, kind.label) for kind in Kind if kind in kinds]
        for name in ("in_bell", "by_mail"):
            self.fields[name].choices = offered  # type: ignore[attr-defined]


class RulesForm(forms.Form):
    """What the fleet is told of."""

    low_battery = forms.IntegerField(
        label=_("Low below"),
        min_value=LOWEST,
        max_value=HIGHEST,
        error_messages={
            "required": _("Say below how many per cent a battery or tank is low."),
            "invalid": _("Give a whole number of per cent, such as 20."),
        },
    )
    kinds = forms.MultipleChoiceField(choices=Kind.choices, required=False)
