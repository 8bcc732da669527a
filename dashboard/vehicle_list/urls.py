from django.urls import path

from dashboard.live.views import stream
from dashboard.vehicle_list import views

urlpatterns = [
    path("", views.fleet, name="fleet"),
    path("cars/", views.vehicles_fragment, name="cars"),
    path("cars/map/", views.map_data, name="map_data"),
    path("cars/fitting/", views.matching, name="fitting"),
    path("cars/<int:vehicle_id>/peek/", views.map_popup, name="peek"),
    path("columns/", views.columns, name="columns"),
    path("views/", views.save_view, name="save_view"),
    path("views/<int:view_id>/delete/", views.delete_view, name="delete_view"),
    path("live/", stream, name="live"),
]
