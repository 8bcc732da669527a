"""Caching of API responses: they are private and change at any time, so clients revalidate them by ETag."""

from typing import TypeVar

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework.views import APIView

View = TypeVar("View", bound=type[APIView])

_dispatch = method_decorator([conditional_page, cache_control(private=True, no_cache=True)], name="dispatch")


def revalidated(view: View) -> View:
    """Decorates a view to respond with 304 if the response is unchanged, and to disallow shared caches.

    `core.api.schema` describes the 304 of such views.
    """
    view.revalidated = True  # type: ignore[attr-defined]
    return _dispatch(view)
