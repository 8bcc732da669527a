"""Lists in the admin to look at: what stands in them is made and changed by services only."""

from typing import TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

Row = TypeVar("Row", bound=models.Model)


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """Shows, never edits; its actions call services. It does not count the whole table beside a search."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False
