from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from fleet import health, pages
from vehicles import api

fleet_urls = [
    path("<slug:slug>/", pages.fleet, name="fleet"),
    path("<slug:slug>/cars/", pages.cars, name="cars"),
    path("<slug:slug>/vehicles/<str:smartcar_id>/", pages.vehicle, name="vehicle"),
    path("<slug:slug>/vehicles/<str:smartcar_id>/values/", pages.values, name="values"),
    path("<slug:slug>/vehicles/<str:smartcar_id>/signals/", pages.signals, name="signals"),
    path("<slug:slug>/vehicles/<str:smartcar_id>/read/", pages.read_now, name="read_now"),
    path("<slug:slug>/vehicles/<str:smartcar_id>/history/<str:code>/", pages.history, name="history"),
]

api_urls = [
    path("", api.Root.as_view(), name="root"),
    path("vehicles/", api.VehicleList.as_view(), name="vehicles"),
    path("vehicles/<str:smartcar_id>/", api.VehicleDetail.as_view(), name="vehicle"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("fleets/", include((fleet_urls, "fleet"))),
    path("accounts/", include("accounts.urls")),
    path("connect/", include("connect.urls")),
    path("commands/", include("commands.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("api/v1/", include((api_urls, "api"))),
    path("admin/", admin.site.urls),
]
