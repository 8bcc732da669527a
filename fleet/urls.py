from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from commands.api import views as commands
from core.api import exceptions
from core.api.description import DescriptionView
from dashboard.api_reference import views as api_reference
from dashboard.api_root import Root
from dashboard.fleet_settings import views as preferences
from dashboard.home import home
from dashboard.style_guide import views as style_guide
from fleet import legacy_urls
from vehicles.api import views as vehicles
from webhooks import api as deliveries

fleet_urls: list[URLPattern | URLResolver] = [
    path("<slug:slug>/", include("dashboard.vehicle_list.urls")),
    path("<slug:slug>/vehicles/<str:smartcar_id>/", include("dashboard.vehicle_page.urls")),
    path("<slug:slug>/onboarding/", include("dashboard.onboarding.urls")),
    path("<slug:slug>/places/", include("dashboard.places.urls")),
    path("<slug:slug>/palette/", include("dashboard.palette.urls")),
    path("<slug:slug>/audit-log/", include("dashboard.audit_log.urls")),
    path("<slug:slug>/settings/", preferences.settings, name="settings"),
]

api_urls = [
    path("", Root.as_view(), name="root"),
    path("schema/", DescriptionView.as_view(), name="schema"),
    path("vehicles/", vehicles.VehicleList.as_view(), name="vehicles"),
    path("vehicles/<slug:smartcar_id>/", vehicles.VehicleDetail.as_view(), name="vehicle"),
    path("vehicles/<slug:smartcar_id>/vin/", vehicles.VehicleVin.as_view(), name="vin"),
    path("vehicles/<slug:smartcar_id>/signals/", vehicles.VehicleSignals.as_view(), name="signals"),
    path(
        "vehicles/<slug:smartcar_id>/signals/<slug:code>/history/",
        vehicles.SignalHistory.as_view(),
        name="history",
    ),
    path(
        "vehicles/<slug:smartcar_id>/commands/", commands.VehicleCommands.as_view(), name="vehicle_commands"
    ),
    path("commands/", commands.CommandList.as_view(), name="commands"),
    path("commands/<int:command_id>/", commands.CommandDetail.as_view(), name="command"),
    path("commands/<int:command_id>/cancel/", commands.CommandCancel.as_view(), name="cancel_command"),
    path("deliveries/", deliveries.DeliveryList.as_view(), name="deliveries"),
    path("deliveries/<int:delivery_id>/", deliveries.DeliveryDetail.as_view(), name="delivery"),
    path("deliveries/<int:delivery_id>/vin/", deliveries.DeliveryWithVin.as_view(), name="delivery_vin"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("new-fleet/", preferences.new_fleet, name="new_fleet"),
    path("api-reference/", api_reference.page, name="api_reference"),
    path("styleguide/", style_guide.page, name="style_guide"),
    path("", include("alerts.urls")),
    path("fleets/<slug:slug>/connections/", include("connect.connections.urls")),
    path("fleets/<slug:slug>/usage/", include("connect.usage.urls")),
    path("fleets/", include((fleet_urls, "dashboard"))),
    path("", include("accounts.urls")),
    path("accounts/", include("accounts.auth_urls")),
    path("", include("connect.urls")),
    path("", include("commands.urls")),
    path("", include("webhooks.urls")),
    path("api/v1/", include((api_urls, "api"))),
    re_path("^api/", exceptions.not_found),
    path("admin/", admin.site.urls),
    *legacy_urls.urlpatterns,
]
