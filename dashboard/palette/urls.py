"""URL of the command palette, below fleets/<slug>/palette/."""

from django.urls import path

from dashboard.palette import views

urlpatterns = [path("", views.search, name="palette")]
