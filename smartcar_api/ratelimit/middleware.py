"""The gate that every request of an application passes, on v2 and v3 (smartcar_api.transport.Gate)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from smartcar_api import Credentials, Origins, SmartcarError
from smartcar_api.ratelimit import limiter, priority
from smartcar_api.ratelimit.routes import parse_target
from smartcar_api.transport import Outgoing

# Only commands have longer timeouts (smartcar_api): their response depends on the vehicle.
_SLOW_SECONDS = 60.0


def bucket_id(credentials: Credentials) -> str:
    """Returns the ID of the bucket that an application's requests are taken from, the same for both API versions."""
    return credentials.application_id or credentials.client_id or "nobody"


@dataclass(frozen=True, slots=True)
class ApplicationGate:
    """The gate of one application. `application` is the ID of its bucket."""

    application: str
    origins: Origins

    @contextmanager
    def guard(self, request: Outgoing) -> Iterator[None]:
        """Wraps the sending of one request. Raises SmartcarError if the request is deferred; then nothing was sent."""
        target = parse_target(request, origins=self.origins)
        context = priority.current()
        if not context.admitted:
            limiter.admit(application=self.application, target=target, context=context)
        try:
            yield
        except SmartcarError as error:
            limiter.failed(
                application=self.application,
                target=target,
                context=context,
                error=error,
                slow=request.timeout > _SLOW_SECONDS,
            )
            raise
        limiter.succeeded(target=target, context=context, status="2xx")
