"""Serves the API's OpenAPI description. Generating it takes long and anyone may request it, so it is kept."""

from threading import Lock
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from core.api.caching import revalidated


@revalidated
class SchemaView(SpectacularAPIView):
    """The OpenAPI description as YAML, or as JSON if the client accepts that; the same for everyone."""

    _lock = Lock()
    _rendered: ClassVar[dict[str, bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer, media_type = request.accepted_renderer, request.accepted_media_type
        with self._lock:
            if renderer.format not in self._rendered:
                schema = self.generator_class().get_schema(request=request, public=True)
                self._rendered[renderer.format] = renderer.render(schema, media_type, {})
        return HttpResponse(self._rendered[renderer.format], content_type=media_type)
