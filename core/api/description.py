"""The API's OpenAPI description, generated once per process."""

from functools import cache
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

Json = dict[str, Any]


@cache
def api_description() -> Json:
    """Returns the description, in English. It is shared: don't change it."""
    with translation.override("en"):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        description: Json = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return description


class DescriptionView(SpectacularAPIView):
    """The OpenAPI description, as YAML or as JSON (`Accept: application/json`)."""

    def _get_schema_response(self, request: Request) -> Response:
        name = self._get_filename(request, None)  # type: ignore[no-untyped-call]
        return Response(data=api_description(), headers={"Content-Disposition": f'inline; filename="{name}"'})
