"""The stream of an open page's changes, as server-sent events."""

import random
import re
from collections.abc import AsyncIterator
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from dashboard.live.hub import ClientStream, hub
from dashboard.live.patches import RenderVariant
from dashboard.vehicle_list.filters import DEFAULT_COLUMNS, PAGE_SIZE, visible_columns

# Streams end after a while and are requested again, so that former members soon lose access.
_STREAM_SECONDS = 240
_OFFSET = re.compile(r"\d{1,16}-\d{1,6}")


@login_required
@require_GET
def stream(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Streams events about the fleet's vehicles.

    Events are `fleet` (locations, counts), `rows` (table rows as HTML by ID), `vehicle` (the shown vehicle changed),
    `resync` (events were lost: reload everything) and `heartbeat`.

    Returns 204 without a stream, after which browsers do not reconnect; the page then polls. A connection that broke
    resumes at `Last-Event-ID`.
    """
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    since = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    if not isinstance(request, ASGIRequest) or not _OFFSET.fullmatch(since):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    response = StreamingHttpResponse(
        _events(_page(request, membership, since)), content_type="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Encoding"] = "identity"  # with compression, events would be buffered
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _page(request: HttpRequest, membership: Membership, since: str) -> ClientStream:
    query = request.GET
    if "vehicle" in query:
        return ClientStream(
            fleet_id=membership.fleet_id, since=since, vehicle_id=next(iter(_ids(query["vehicle"])), 0)
        )
    variant = RenderVariant(
        language=get_language() or "en",
        columns=visible_columns(query.get("columns", "").split(",")) or DEFAULT_COLUMNS,
        may_command=has_permission(membership=membership, right=Permission.COMMAND),
        may_connect=has_permission(membership=membership, right=Permission.CONNECT),
    )
    return ClientStream(
        fleet_id=membership.fleet_id, since=since, variant=variant, rows=_ids(query.get("rows", ""))
    )


def _ids(text: str) -> frozenset[int]:
    numbers = text.split(",")[:PAGE_SIZE]
    return frozenset(
        int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 19
    )


async def _events(page: ClientStream) -> AsyncIterator[bytes]:
    # The stream may last for minutes, and mustn't hold the request's database connection.
    await sync_to_async(connections.close_all)()
    seconds = _STREAM_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311  spreads reconnects
    async for event in hub().stream(page, seconds=seconds):
        yield event
