"""The gate that every request of an application passes, on whatever road it came (smartcar_api.transport.Gate)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from smartcar_api import Credentials, Origins, SmartcarError
from smartcar_api.ratelimit import limiter, priority
from smartcar_api.ratelimit.routes import target_of
from smartcar_api.transport import Outgoing

# Only commands are waited for longer (smartcar_api): their answer depends on the car.
_SLOW_SECONDS = 60.0


def bucket_of(credentials: Credentials) -> str:
    """Whose bucket an application's requests come out of; both API versions have one together."""
    return credentials.application_id or credentials.client_id or "nobody"


@dataclass(frozen=True, slots=True)
class ApplicationGate:
    """The gate of one application, whose bucket has its id."""

    application: str
    origins: Origins

    @contextmanager
    def passing(self, request: Outgoing) -> Iterator[None]:
        """Around one sending. Raises SmartcarError when the request is put off; then nothing was sent."""
        target = target_of(request, origins=self.origins)
        cause = priority.current()
        if not cause.admitted:
            limiter.admit(application=self.application, target=target, cause=cause)
        try:
            yield
        except SmartcarError as error:
            limiter.failed(
                application=self.application,
                target=target,
                cause=cause,
                error=error,
                slow=request.timeout > _SLOW_SECONDS,
            )
            raise
        limiter.succeeded(target=target, cause=cause, status="2xx")
