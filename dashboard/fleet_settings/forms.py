"""What can be said of a fleet, and what a change of it does."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Fleet
from dashboard.fleet_settings.time_zones import parse_time_zone
from vehicles.dates import kept_since

MONTHS = ("raw_retention_months", "rollup_retention_months")


class FleetForm(forms.ModelForm[Fleet]):
    """A new fleet: name, units, time zone."""

    time_zone = forms.CharField(
        max_length=64,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy(
            "The times on the fleet's pages are in it, and its days begin at midnight there. Type a city to search."
        ),
    )

    class Meta:
        model = Fleet
        fields: tuple[str, ...] = ("name", "unit_system", "time_zone")
        labels = {"name": gettext_lazy("Name"), "unit_system": gettext_lazy("Units")}
        help_texts = {
            "name": gettext_lazy("Drivers read it when they are asked to share their car."),
            "unit_system": gettext_lazy(
                "How distances, temperatures and pressures are shown. What is recorded stays the same, and a car may "
                "have units of its own."
            ),
        }

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_time_zone(self) -> str:
        zone = parse_time_zone(self.cleaned_data["time_zone"])
        if zone is None:
            raise forms.ValidationError(
                _("“%(typed)s” is no time zone. Choose one of the list, such as Europe/Berlin.")
                % {"typed": self.cleaned_data["time_zone"]}
            )
        return zone


class SettingsForm(FleetForm):
    """A fleet's settings. Keeping history for fewer months deletes some, so that has to be confirmed."""

    confirmed = forms.BooleanField(required=False)

    class Meta(FleetForm.Meta):
        fields = (*FleetForm.Meta.fields, *MONTHS)
        labels = FleetForm.Meta.labels | {
            "raw_retention_months": gettext_lazy("Months for which single values are kept"),
            "rollup_retention_months": gettext_lazy("Months for which summaries are kept"),
        }
        help_texts = FleetForm.Meta.help_texts | {
            "raw_retention_months": gettext_lazy(
                "Every value that a car reported, with its time. From 1 to 120 whole months."
            ),
            "rollup_retention_months": gettext_lazy(
                "Lowest, highest and mean of each hour and day, for charts over years. As long as single values, or "
                "longer."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = {name: getattr(self.instance, name) for name in MONTHS}
        self.losses: list[str] = []

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        readings, rollups = (given.get(name) for name in MONTHS)
        if readings is not None and rollups is not None:
            if rollups < readings:
                self.add_error(
                    "rollup_retention_months",
                    _("Summaries are kept at least as long as single values: for %(months)s months or more.")
                    % {"months": readings},
                )
            self.losses = self._losses(readings, rollups, now=timezone.now())
        return given

    @property
    def asks_to_confirm(self) -> bool:
        """Whether what was sent is good and would delete something that nobody has said yes to."""
        return self.is_valid() and bool(self.losses) and not self.cleaned_data["confirmed"]

    def _losses(self, readings: int, rollups: int, *, now: datetime) -> list[str]:
        """What a change deletes, in words."""
        words = {
            "raw_retention_months": _("Single values of before %(day)s are deleted within the hour."),
            "rollup_retention_months": _("Summaries of before %(day)s are deleted within the hour."),
        }
        return [
            words[name] % {"day": date_format(kept_since(now, months))}
            for name, months in zip(MONTHS, (readings, rollups), strict=True)
            if months < self.before[name]
        ]
