"""What an offboarding erases, and the kinds of rows that it erases from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django_stubs_ext import StrOrPromise

from core.message_codes import NO_MESSAGE, Message
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class ErasureTarget:
    """The data to erase: what was recorded for the vehicle from `since` (None: from the beginning) up to `until`.

    `places_only`: only locations. `still_shared`: another driver of the fleet still shares the vehicle, so data that
    identifies the vehicle is retained. `drivers` are the Smartcar user IDs of the drivers who no longer share any
    vehicle with the fleet; what identifies them is erased, if it is from before `requested_at`.
    """

    vehicle: Vehicle
    places_only: bool
    since: datetime | None
    until: datetime
    still_shared: bool
    drivers: frozenset[str]
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureHandler:
    """One kind of rows. `erase` takes the target and a row limit and returns how many rows it erased: fewer than the
    limit when nothing is left. `skip_reason` returns why all of the rows are retained, or an empty message if they are
    erased.
    """

    kind: str
    label: StrOrPromise
    erase: Callable[[ErasureTarget, int], int]
    skip_reason: Callable[[ErasureTarget], Message] = lambda _: NO_MESSAGE
