from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.admin.auditing import AuditedAdmin
from core.admin import ReadOnlyAdmin
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.observations import SignalStatus
from vehicles.places.models import Place


@admin.register(Vehicle)
class VehicleAdmin(AuditedAdmin[Vehicle]):
    """Vehicles. Signals and history have composite keys, which Django's admin doesn't support, so each vehicle has a
    separate page for them.
    """

    list_display = [
        "__str__",
        "fleet",
        "plate",
        "make",
        "model",
        "year",
        "powertrain",
        "mode",
        "last_seen_at",
        "signals",
    ]
    list_filter = ["fleet", "mode", "powertrain", "make"]
    search_fields = ["name", "plate", "smartcar_id", "make", "model"]
    list_select_related = ["fleet"]
    readonly_fields = ["fleet", "smartcar_id", "mode", "last_seen_at", "signals"]
    exclude = ["vin"]
    show_full_result_count = False

    @admin.display(description="signals")
    def signals(self, vehicle: Vehicle) -> str:
        return format_html(
            '<a href="{}">Signals</a>', reverse("admin:vehicles_vehicle_signals", args=[vehicle.pk])
        )

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:vehicle_id>/signals/",
            self.admin_site.admin_view(self.signals_page),
            name="vehicles_vehicle_signals",
        )
        return [page, *super().get_urls()]

    def signals_page(self, request: HttpRequest, vehicle_id: int) -> HttpResponse:
        """Shows latest signals and newest readings, searched by code with ?q= and filtered by status."""
        vehicle = Vehicle.objects.filter(pk=vehicle_id).first()
        if vehicle is None or not self.has_view_permission(request, vehicle):
            raise Http404("No such vehicle.")
        query, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
        latest = (
            LatestSignal.objects.filter(vehicle=vehicle, code__icontains=query).defer("body").order_by("code")
        )
        if status:
            latest = latest.filter(status=status)
        readings = Reading.objects.filter(vehicle=vehicle, signal__code__icontains=query)
        readings = readings.select_related("signal").defer("value", "rest")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Signals of {vehicle}",
            "opts": self.opts,
            "vehicle": vehicle,
            "query": query,
            "status": status,
            "statuses": list(SignalStatus),
            "latest": latest,
            "readings": readings.order_by("-observed_at")[:100],
        }
        return render(request, "admin/vehicles/vehicle/signals.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Vehicle | None = None) -> bool:
        """Vehicles leave by offboarding, which also ends the grant at Smartcar."""
        return False


@admin.register(Place)
class PlaceAdmin(ReadOnlyAdmin[Place]):
    """Places without their coordinates, which only the fleet may see."""

    list_display = ["name", "fleet", "kind", "radius"]
    list_filter = ["kind", "fleet"]
    search_fields = ["name", "fleet__name"]
    list_select_related = ["fleet"]
    exclude = ["latitude", "longitude"]
