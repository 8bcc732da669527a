"""The API's front door."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView


class Root(APIView):
    """Where everything is."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        rooms = ("vehicles", "commands", "deliveries", "schema")
        return Response({room: reverse(f"api:{room}", request=request) for room in rooms})
