"""Answers are the caller's own and change at any time: kept by no shared cache, and asked for by their ETag."""

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page

revalidated = method_decorator(
    [conditional_page, cache_control(private=True, no_cache=True)], name="dispatch"
)
"""A view of this kind answers 304 to a poll that brings nothing new."""
