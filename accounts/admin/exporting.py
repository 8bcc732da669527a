"""Downloads of all data about a user or a fleet, which have to be made before these are deleted."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import models
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from accounts.admin.auditing import log_admin_action
from accounts.exports import export_lines
from accounts.members.erasure import EXPORT


class ExportMixin(ModelAdmin[Any]):
    """Adds "Export data" to the page of a row, for staff who may change such rows."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = require_POST(self.export)
        return [path("<int:pk>/export/", self.admin_site.admin_view(view), name=name), *super().get_urls()]

    def export(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Streams the row and all that belongs to it as JSON lines."""
        row: models.Model | None = self.model.objects.filter(pk=pk).first()
        if row is None or not self.has_change_permission(request, row):
            raise Http404("There is no such row that you may export.")
        log_admin_action(request, action=EXPORT, rows=[row])
        response = StreamingHttpResponse(
            export_lines(row), content_type="application/x-ndjson; charset=utf-8"
        )
        filename = f"{self.opts.model_name}-{pk}.jsonl"
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        response.headers["Cache-Control"] = "private, no-store"
        return response
