from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from webhooks import receiver


@csrf_exempt
@require_POST
def smartcar(request: HttpRequest) -> JsonResponse:
    """The callback address for deliveries and errors."""
    if int(request.headers.get("Content-Length") or 0) > receiver.BODY_LIMIT:
        return JsonResponse({"error": "The body is larger than 256 KB."}, status=413)
    try:
        receipt = receiver.receive(raw=request.body, signed=request.headers.get("SC-Signature", ""))
    except DatabaseError:
        return JsonResponse({"error": "The database is not available. Send it again."}, status=503)
    return JsonResponse(receipt.body, status=receipt.status)
