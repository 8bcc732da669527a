from django.urls import path

from dashboard.live.views import stream
from dashboard.vehicle_list import views

urlpatterns = [
    path("", views.fleet, name="vehicles"),
    path("list/", views.vehicles_fragment, name="vehicles_fragment"),
    path("map-data/", views.map_data, name="map_data"),
    path("matching/", views.matching, name="matching"),
    path("map-data/<int:vehicle_id>/", views.map_popup, name="map_popup"),
    path("new/", views.new_vehicles, name="new_vehicles"),
    path("columns/", views.columns, name="columns"),
    path("views/", views.save_view, name="save_view"),
    path("views/<int:view_id>/delete/", views.delete_view, name="delete_view"),
    path("live/", stream, name="live"),
]
