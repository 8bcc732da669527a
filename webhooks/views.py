from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.request_body import declared_length
from webhooks import receiver


@csrf_exempt
@require_POST
def smartcar(request: HttpRequest) -> JsonResponse:
    """The callback URL for deployments without `webhooks.asgi` in front of Django."""
    if declared_length(request.headers.get("Content-Length", "").encode()) > receiver.BODY_LIMIT:
        response = receiver.too_large()
    else:
        # One byte over the limit is enough to detect a large body, whatever Content-Length claims.
        raw = request.read(receiver.BODY_LIMIT + 1)
        response = receiver.receive(raw=raw, signed=request.headers.get("SC-Signature", ""))
    return JsonResponse(response.body, status=response.status)
