from django.urls import path

from alerts import views

app_name = "alerts"

urlpatterns = [
    path("alerts/badge/", views.badge, name="badge_all"),
    path("alerts/recent/", views.recent, name="recent_all"),
    path("fleets/<slug:slug>/alerts/", views.overview, name="overview"),
    path("fleets/<slug:slug>/alerts/acknowledge/", views.acknowledge, name="acknowledge"),
    path("fleets/<slug:slug>/alerts/settings/", views.settings, name="settings"),
    path("fleets/<slug:slug>/alerts/fleet-settings/", views.fleet_settings, name="fleet_settings"),
    path("fleets/<slug:slug>/alerts/badge/", views.badge, name="badge"),
    path("fleets/<slug:slug>/alerts/recent/", views.recent, name="recent"),
]
