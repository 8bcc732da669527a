"""The settings tab: details that the fleet enters, and the vehicle's own data."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import UnitSystem
from accounts.permissions import Permission
from connect.connections.selectors import list_drivers as sharing
from connect.models import Connection, ConnectionState
from dashboard.vehicle_page.base import SETTINGS, VehicleContext, vehicle_context
from vehicles import details
from vehicles.models import Vehicle


class DetailsForm(forms.ModelForm[Vehicle]):
    """A vehicle's name, plate, group and driver, all optional."""

    class Meta:
        model = Vehicle
        fields: tuple[str, ...] = ("name", "plate", "group", "driver")
        labels = {
            "name": gettext_lazy("Name"),
            "plate": gettext_lazy("Plate"),
            "group": gettext_lazy("Group"),
            "driver": gettext_lazy("Driver"),
            "tank_liters": gettext_lazy("Tank capacity in liters"),
        }
        help_texts = {
            "name": gettext_lazy("Display name. Defaults to make and model."),
            "group": gettext_lazy("For example, a depot or a team. Use groups to find related vehicles."),
            "driver": gettext_lazy("Current driver. May differ from the person who connected the vehicle."),
            "tank_liters": gettext_lazy("Shows the fuel level of a vehicle that only reports liters."),
        }

    def clean_name(self) -> str:
        return self._one_line("name")

    def clean_plate(self) -> str:
        return self._one_line("plate").upper()

    def clean_group(self) -> str:
        return self._one_line("group")

    def clean_driver(self) -> str:
        return self._one_line("driver")

    def _one_line(self, field: str) -> str:
        return " ".join(self.cleaned_data[field].split())


class SettingsForm(DetailsForm):
    """All details of a vehicle: those of DetailsForm, its units and tank capacity, all optional."""

    unit_system = forms.ChoiceField(
        label=gettext_lazy("Units"),
        required=False,
        choices=[("", gettext_lazy("Fleet default")), *UnitSystem.choices],
    )

    class Meta(DetailsForm.Meta):
        fields = details.FIELDS
        localized_fields = ("tank_liters",)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Shows the vehicle's details. Members who may connect vehicles can change them."""
    right = Permission.CONNECT if request.method == "POST" else Permission.VIEW
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id, right=right)
    if request.method == "GET":
        return render(request, "dashboard/vehicle_page/settings.html", _context(frame, _form(frame)))
    form = _form(frame, request)
    if not form.is_valid():
        # The header must show the stored name, not the entered one.
        frame.vehicle.refresh_from_db(fields=details.FIELDS)
        return render(request, "dashboard/vehicle_page/settings.html", _context(frame, form), status=400)
    values = {name: form.cleaned_data[name] for name in details.FIELDS}
    frame.vehicle.refresh_from_db(fields=details.FIELDS)
    if details.update_details(vehicle=frame.vehicle, values=values, actor=frame.membership.user):
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("dashboard:vehicle_settings", slug=slug, smartcar_id=smartcar_id)


@never_cache
@login_required
@require_POST
@sensitive_variables()
def show_vin(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Shows the full VIN to members who may connect vehicles, and logs the view in the audit log."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id, right=Permission.CONNECT)
    details.log_vin_view(vehicle=frame.vehicle, actor=frame.membership.user)
    if request.headers.get("HX-Request"):
        return render(request, "dashboard/vehicle_page/vin.html", _vin(frame, whole=True))
    context = _context(frame, _form(frame)) | _vin(frame, whole=True)
    return render(request, "dashboard/vehicle_page/settings.html", context)


def _form(frame: VehicleContext, request: HttpRequest | None = None) -> SettingsForm:
    return SettingsForm(request.POST if request else None, instance=frame.vehicle)


def _context(frame: VehicleContext, form: SettingsForm) -> dict[str, Any]:
    connections = Connection.objects.filter(vehicle=frame.vehicle).exclude(state=ConnectionState.REMOVED)
    users = list(connections.values_list("smartcar_user_id", flat=True))
    sharers = [
        each.name for each in sharing(fleet=frame.fleet, smartcar_user_ids=users).values() if each.name
    ]
    context = frame.context(SETTINGS) | {
        "form": form,
        "groups": details.list_groups(fleet=frame.fleet),
        "drivers": list(dict.fromkeys([*sharers, *details.list_drivers(fleet=frame.fleet)])),
        "connected": bool(users),
    }
    return context | (_vin(frame, whole=False) if frame.can(Permission.CONNECT) else {})


def _vin(frame: VehicleContext, *, whole: bool) -> dict[str, Any]:
    vin = frame.vehicle.vin
    return {
        "fleet": frame.fleet,
        "vehicle": frame.vehicle,
        "vin": vin if whole else details.mask_vin(vin),
        "vin_whole": whole,
        "may_see_vin": True,
    }
