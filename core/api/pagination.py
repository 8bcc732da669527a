"""Long lists, a page at a time."""

from typing import Any

from rest_framework import serializers
from rest_framework.pagination import CursorPagination, PageNumberPagination

PAGING = ("page", "page_size", "cursor")
"""The parameters that the paginators read themselves."""


class PagePagination(PageNumberPagination):
    """`?page=` and `?page_size=`, with the count of all."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500


class NewestFirstPagination(CursorPagination):
    """`?cursor=`, for lists that grow at their head while somebody reads them. Nothing is counted."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"


def page_size_field(
    paginator: type[PagePagination] | type[NewestFirstPagination],
) -> serializers.IntegerField:
    """The paginator's `page_size` as a parameter that is refused where the paginator would pass over it."""
    return serializers.IntegerField(required=False, min_value=1, max_value=paginator.max_page_size)


def without_paging(asked: dict[str, Any]) -> dict[str, Any]:
    """The question itself."""
    return {name: value for name, value in asked.items() if name not in PAGING}
