"""API errors as problem details (RFC 9457): what happened, and what to do about it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.api.rate_limits import report_uncounted

CONTENT_TYPE = "application/problem+json"


class FleetRequired(exceptions.APIException):
    """The requested object exists in several of the caller's fleets."""

    status_code = HTTPStatus.CONFLICT
    default_code = "ambiguous"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler: returns API errors as problems and leaves others to Django."""
    converted = _convert(error)
    report_uncounted(context["request"], context["view"].get_throttles(), context["view"])
    response = exception_handler(converted, context)
    if response is None or not isinstance(converted, exceptions.APIException):
        return response
    response.data = problem(HTTPStatus(response.status_code), _detail(converted), code=_code(converted))
    if isinstance(converted, exceptions.ValidationError):
        response.data["errors"] = _errors(converted.detail)
    response.content_type = CONTENT_TYPE
    return response


def problem(status: HTTPStatus, detail: str, *, code: str) -> dict[str, Any]:
    """Returns the fields that every problem has. `code` is for programs: it is stable, `detail` may change."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
    }


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """Responds to an unknown URL below /api/."""
    detail = "There is nothing at this address. /api/v1/ lists what there is."
    body = problem(HTTPStatus.NOT_FOUND, detail, code=exceptions.NotFound.default_code)
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)


def _convert(error: Exception) -> Exception:
    """Converts Django's own exceptions with their message, which the framework would drop."""
    if isinstance(error, Http404):
        return exceptions.NotFound(str(error) or None)
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied(str(error) or None)
    return error


def _detail(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.ValidationError):
        return "The request is invalid. `errors` lists what is wrong with each parameter."
    if isinstance(error, exceptions.NotAuthenticated):
        return "Sign in, or send a token as: Authorization: Bearer scf_…"
    return str(error.detail)


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _errors(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, Mapping):
        return {str(name): _sentences(entry) for name, entry in detail.items()}
    return {"non_field_errors": _sentences(detail)}


def _sentences(entry: Any) -> list[str]:
    if isinstance(entry, Mapping):
        return [f"{name}: {text}" for name, each in entry.items() for text in _sentences(each)]
    if isinstance(entry, Sequence) and not isinstance(entry, str):
        return [text for each in entry for text in _sentences(each)]
    return [str(entry)]
