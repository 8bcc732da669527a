"""The API's OpenAPI description. Generating it takes long and anyone may request it, so it is generated once."""

from functools import cache
from threading import Lock
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from core.api.caching import revalidated

Json = dict[str, Any]


@cache
def api_description() -> Json:
    """Returns the description, in English. It is shared: don't change it."""
    with translation.override("en"):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        description: Json = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return description


@revalidated
class DescriptionView(SpectacularAPIView):
    """The OpenAPI description as YAML, or as JSON if the client accepts that; the same for everyone."""

    _lock = Lock()
    _rendered: ClassVar[dict[str, bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer, media_type = request.accepted_renderer, request.accepted_media_type
        with self._lock:
            if renderer.format not in self._rendered:
                rendered = renderer.render(api_description(), media_type, {})
                self._rendered[renderer.format] = (
                    rendered if isinstance(rendered, bytes) else rendered.encode()
                )
        return HttpResponse(self._rendered[renderer.format], content_type=media_type)
