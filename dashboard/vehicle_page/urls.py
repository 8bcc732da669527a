"""URLs of one vehicle's pages, below fleets/<slug>/vehicles/<smartcar_id>/."""

from django.urls import path

from dashboard.vehicle_page import (
    connection_views,
    events_views,
    history_views,
    settings_views,
    signals_views,
    views,
)

urlpatterns = [
    path("", views.vehicle, name="vehicle"),
    path("panel/", views.side_panel, name="side_panel"),
    path("values/", views.values, name="values"),
    path("refresh/", views.refresh, name="refresh"),
    path("history/", history_views.page, name="vehicle_history"),
    path("history/data/", history_views.data, name="vehicle_history_data"),
    path("history/csv/", history_views.file, name="vehicle_history_csv"),
    path("events/", events_views.page, name="vehicle_events"),
    path("connection/", connection_views.page, name="vehicle_connection"),
    path("settings/", settings_views.page, name="vehicle_settings"),
    path("settings/vin/", settings_views.show_vin, name="vehicle_vin"),
    path("signals/", signals_views.page, name="vehicle_signals"),
    path("signals/table/", signals_views.table, name="signals"),
]
