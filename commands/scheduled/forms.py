from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commands.scheduled.services import SCHEDULED_TYPES, Timing
from commands.services import MAX_REASON_LENGTH

WORKDAYS = ["0", "1", "2", "3", "4"]


class ScheduleForm(forms.Form):
    """When to send which command. Dates and times are those of the fleet's time zone."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Command"), choices=[(kind.value, kind.label) for kind in SCHEDULED_TYPES]
    )
    percent = forms.IntegerField(label=gettext_lazy("Charge limit (percent)"), required=False)
    repeats = forms.ChoiceField(
        label=gettext_lazy("Repeats"),
        choices=[("weekly", gettext_lazy("Every week")), ("once", gettext_lazy("Once"))],
    )
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Days"),
        choices=[(str(number), name) for number, name in WEEKDAYS.items()],
        required=False,
    )
    on = forms.DateField(label=gettext_lazy("Date"), required=False)
    at = forms.TimeField(label=gettext_lazy("Time"), input_formats=["%H:%M", "%H:%M:%S"])
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=MAX_REASON_LENGTH, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("repeats") == "weekly" and not cleaned.get("weekdays"):
            self.add_error("weekdays", _("Select at least one day."))
        if cleaned.get("repeats") == "once" and not cleaned.get("on") and "on" not in self.errors:
            self.add_error("on", _("Enter the date."))
        return cleaned

    @property
    def timing(self) -> Timing:
        """The chosen time. Call it after is_valid()."""
        chosen: Mapping[str, Any] = self.cleaned_data
        if chosen["repeats"] == "once":
            return Timing(chosen["at"], on=chosen["on"])
        return Timing(chosen["at"], weekdays=[int(day) for day in chosen["weekdays"]])
