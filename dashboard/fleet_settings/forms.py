"""Forms for fleet settings."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Fleet
from core.time_zones import parse_time_zone
from vehicles.dates import retention_start

DRIVER_FACING = ("legal_name", "contact_email", "privacy_notice_url")
MONTHS = ("raw_retention_months", "rollup_retention_months")


class FleetForm(forms.ModelForm[Fleet]):
    """A new fleet: name, units, time zone."""

    time_zone = forms.CharField(
        max_length=64,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy(
            "All times in this fleet use this time zone, and days start at midnight there. Type "
            "a city to search."
        ),
    )

    class Meta:
        model = Fleet
        fields: tuple[str, ...] = ("name", "unit_system", "time_zone")
        labels = {"name": gettext_lazy("Name"), "unit_system": gettext_lazy("Units")}
        help_texts = {
            "name": gettext_lazy("Shown to drivers when they're asked to share their vehicle."),
            "unit_system": gettext_lazy(
                "Units for distance, temperature and pressure. Stored data doesn't change, and you "
                "can set different units for each vehicle."
            ),
        }

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_time_zone(self) -> str:
        zone = parse_time_zone(self.cleaned_data["time_zone"])
        if zone is None:
            raise forms.ValidationError(
                _("“%(typed)s” isn't a valid time zone. Choose one from the list, such as Europe/Berlin.")
                % {"typed": self.cleaned_data["time_zone"]}
            )
        return zone


class SettingsForm(FleetForm):
    """A fleet's settings. Shortening the retention deletes data, so that requires confirmation."""

    confirmed = forms.BooleanField(required=False)
    privacy_notice_url = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        validators=[URLValidator(schemes=("https", "http"))],
        label=gettext_lazy("Privacy notice (address)"),
        help_text=gettext_lazy("Linked on the pages where drivers decide what to share. Optional."),
    )

    class Meta(FleetForm.Meta):
        fields = ("name", *DRIVER_FACING, "unit_system", "time_zone", *MONTHS)
        labels = FleetForm.Meta.labels | {
            "legal_name": gettext_lazy("Legal name"),
            "contact_email": gettext_lazy("Contact email for drivers"),
            "raw_retention_months": gettext_lazy("Keep raw readings for (months)"),
            "rollup_retention_months": gettext_lazy("Keep hourly and daily summaries for (months)"),
        }
        help_texts = FleetForm.Meta.help_texts | {
            "legal_name": gettext_lazy(
                "The organization that is responsible for the drivers' data, as drivers see it. Optional."
            ),
            "contact_email": gettext_lazy(
                "Shown to drivers, and where their replies to our emails go. Optional."
            ),
            "raw_retention_months": gettext_lazy(
                "Every value a vehicle reports, with its timestamp. Enter a whole number from 1 to 120."
            ),
            "rollup_retention_months": gettext_lazy(
                "Hourly and daily minimum, maximum and mean, for long-term charts. Must be kept at "
                "least as long as raw readings."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = {name: getattr(self.instance, name) for name in MONTHS}
        self.losses: list[str] = []

    def clean_legal_name(self) -> str:
        return " ".join(self.cleaned_data["legal_name"].split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        readings, rollups = (cleaned.get(name) for name in MONTHS)
        if readings is not None and rollups is not None:
            if rollups < readings:
                self.add_error(
                    "rollup_retention_months",
                    _("Summaries must be kept at least as long as raw readings. Enter %(months)s or more.")
                    % {"months": readings},
                )
            if self.instance.pk:
                self.losses = self._losses(readings, rollups, now=timezone.now())
        return cleaned

    @property
    def needs_confirmation(self) -> bool:
        """Whether the input is valid, but would delete data without confirmation."""
        return self.is_valid() and bool(self.losses) and not self.cleaned_data["confirmed"]

    def _losses(self, readings: int, rollups: int, *, now: datetime) -> list[str]:
        """Returns messages about what the change deletes."""
        templates = {
            "raw_retention_months": _("Raw readings from before %(day)s will be deleted within an hour."),
            "rollup_retention_months": _("Summaries from before %(day)s will be deleted within an hour."),
        }
        return [
            templates[name] % {"day": date_format(retention_start(now, months))}
            for name, months in zip(MONTHS, (readings, rollups), strict=True)
            if months < self.before[name]
        ]
