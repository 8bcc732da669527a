"""Pagination of long lists."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination, PageNumberPagination
from rest_framework.request import Request

PAGING = ("page", "page_size", "cursor")
"""The query parameters that the paginators read."""


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns a paginator's schema with null as a type, as in OpenAPI 3.1, and without the framework's examples."""
    for name in ("next", "previous"):
        schema["properties"][name] = {
            "type": ["string", "null"],
            "format": "uri",
            "description": f"The {name} page; null if there is none.",
        }
    schema["required"] = sorted(schema["properties"])
    return schema


class PagePagination(PageNumberPagination):
    """`?page=` and `?page_size=`, with the total count."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _described(super().get_paginated_response_schema(schema))


class NewestFirstPagination(CursorPagination):
    """`?cursor=`, for lists that grow at the start while clients read them. There is no total count."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _described(super().get_paginated_response_schema(schema))

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Returns the cursor of the request. Raises NotFound unless its position is an ID."""
        cursor = super().decode_cursor(request)
        # The stubs say int, but it is text from the query.
        position: Any = cursor.position if cursor is not None else None
        if position is not None and not (position.isascii() and position.isdecimal() and len(position) < 19):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def page_size_field(
    paginator: type[PagePagination] | type[NewestFirstPagination],
) -> serializers.IntegerField:
    """Returns a field that rejects values of `page_size` that the paginator would ignore."""
    return serializers.IntegerField(required=False, min_value=1, max_value=paginator.max_page_size)


def without_paging(query: dict[str, Any]) -> dict[str, Any]:
    """Returns the query without the paginators' parameters."""
    return {name: value for name, value in query.items() if name not in PAGING}
