"""The entry point of the API."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView


class Root(APIView):
    """Links to the API's main resources."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        names = ("vehicles", "commands", "deliveries", "schema")
        return Response({name: reverse(f"api:{name}", request=request) for name in names})
