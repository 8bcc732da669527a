"""URLs of the fleet's places, below fleets/<slug>/places/."""

from django.urls import path

from dashboard.places import views

urlpatterns = [
    path("", views.overview, name="places"),
    path("new/", views.new, name="place_new"),
    path("<int:place_id>/", views.edit, name="place"),
    path("<int:place_id>/delete/", views.delete, name="place_delete"),
]
