"""Forms of a fleet's alert settings and of a member's notification preferences."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import HIGHEST, LOWEST
from alerts.types import AlertType


class NotificationPreferenceForm(forms.Form):
    """The types of alerts a member wants in the app and by email, out of those the role can see."""

    in_app = forms.MultipleChoiceField(required=False)
    by_email = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, kinds: frozenset[AlertType], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(kind.value, kind.label) for kind in AlertType if kind in kinds]
        for name in ("in_app", "by_email"):
            self.fields[name].choices = offered  # type: ignore[attr-defined]


class AlertSettingsForm(forms.Form):
    """The types of alerts the fleet uses, and the low-battery threshold."""

    low_battery = forms.IntegerField(
        label=_("Alert below"),
        min_value=LOWEST,
        max_value=HIGHEST,
        error_messages={
            "required": _("Enter the percentage below which a battery or tank is low."),
            "invalid": _("Enter a whole percentage, such as 20."),
        },
    )
    kinds = forms.MultipleChoiceField(choices=AlertType.choices, required=False)
