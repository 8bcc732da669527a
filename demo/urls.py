"""The URLs of the demo: those of the product, and its own pages."""

from django.urls import URLPattern, URLResolver, include, path

from demo.emails import views
from fleet.urls import urlpatterns as product

_pages = [
    path("emails/", views.emails, name="emails"),
    path("emails/<slug:name>/", views.email, name="email"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/", include((_pages, "demo"))),
    *product,
]
