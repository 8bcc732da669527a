"""Parses responses of the REST APIs like webhook payloads: v3 signals and v2.0 batches.

Source: Smartcar documentation, "Signals", "Signal" and "Batch". The first documentation of v3 showed responses without
a `data` wrapper and with epoch times. Actual responses have a wrapper and ISO times. Both forms are supported.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from webhooks.messages import DeliveryNote
from webhooks.parsing.events import read_facts
from webhooks.parsing.fields import mapping
from webhooks.parsing.signals import read_signals
from webhooks.parsing.types import Malformed, VehicleReport
from webhooks.parsing.v2 import find_attributes, read_answers


def parse_v3_signals(
    body: Mapping[str, Any], *, vehicle_id: str, received_at: datetime | None = None
) -> VehicleReport:
    """Parses a response of `GET /vehicles/{id}/signals` or `…/signals/{code}`.

    Raises Malformed if the response has no signals in any of the known places. An empty list is valid.
    """
    included = mapping(mapping(body.get("included")).get("vehicle"))
    facts = read_facts(mapping(included.get("attributes")), {}, vehicle_id=vehicle_id)
    observations, skipped = read_signals(_signals(body), latest=received_at)
    return VehicleReport(facts=facts, observations=observations, skipped=skipped)


def _signals(body: Mapping[str, Any]) -> list[Any]:
    for key in ("data", "signals"):
        if isinstance(body.get(key), list):
            return list(body[key])
        if isinstance(body.get(key), Mapping):
            return [body[key]]
    if "code" in body or "attributes" in body:
        return [body]
    raise Malformed(DeliveryNote.NO_SIGNALS)


def parse_v2_batch(
    body: Mapping[str, Any], *, vehicle_id: str, received_at: datetime | None = None
) -> VehicleReport:
    """Parses a v2.0 `POST /batch` response. Raises Malformed if there is no list of responses."""
    responses = body.get("responses")
    if not isinstance(responses, list):
        raise Malformed(DeliveryNote.NO_RESPONSES)
    facts = read_facts(find_attributes(responses), {}, vehicle_id=vehicle_id)
    about_signals = [response for response in responses if mapping(response).get("path") != "/"]
    observations, skipped = read_answers(about_signals, latest=received_at)
    return VehicleReport(facts=facts, observations=observations, skipped=skipped)
