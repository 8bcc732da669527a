"""Caching of API responses: they are private and change at any time, so clients revalidate them by ETag."""

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page

revalidated = method_decorator(
    [conditional_page, cache_control(private=True, no_cache=True)], name="dispatch"
)
"""Decorates a view to respond with 304 if the response is unchanged, and to disallow shared caches."""
