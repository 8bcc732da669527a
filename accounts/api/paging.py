"""Long lists, a page at a time."""

from rest_framework.pagination import CursorPagination, PageNumberPagination


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=`, with the count of all."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500


class NewestFirst(CursorPagination):
    """`?cursor=`, for lists that grow at their head while somebody reads them. Nothing is counted."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"
