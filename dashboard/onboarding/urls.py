"""URLs of a fleet's setup checklist, below fleets/<slug>/onboarding/."""

from django.urls import path

from dashboard.onboarding import views

urlpatterns = [
    path("", views.page, name="onboarding"),
    path("steps/", views.steps, name="onboarding_steps"),
    path("hide/", views.hide, name="onboarding_hide"),
]
