"""Notes on deliveries, as codes with parameters (core.message_codes)."""

from django.utils.translation import gettext_lazy as _

from core.message_codes import MessageCatalog


class DeliveryNote(MessageCatalog):
    """Why a delivery was not recorded, or not in full."""

    DAMAGED = (
        "delivery.damaged",
        _("The message was damaged, and was read as far as possible. %(repairs)s"),
    )
    FAILED = "delivery.failed", _("Processing failed %(times)s times.")
    LOCATION_HIDDEN = (
        "delivery.location_hidden",
        _("The driver hides the location. The message was deleted; all other data in it was recorded."),
    )
    TEST = "delivery.test", _("Test delivery from the Smartcar dashboard.")
    UNKNOWN_TYPE = "delivery.unknown_type", _("Unknown event type.")
    UNKNOWN_VEHICLE = "delivery.unknown_vehicle", _("The vehicle isn't connected to this site.")
    VEHICLE_OFFBOARDED = (
        "delivery.vehicle_offboarded",
        _("The vehicle has left the fleet. Nothing from the message was stored."),
    )

    # The delivery can't be parsed.
    NOT_JSON = "delivery.not_json", _("Invalid JSON")
    NOT_AN_OBJECT = "delivery.not_an_object", _("The JSON is not an object")
    NO_CHALLENGE = "delivery.no_challenge", _("A VERIFY event without a challenge")
    NO_EVENT_NAME = "delivery.no_event_name", _("Neither an eventType nor an eventName")
    NO_EVENT_TYPE = "delivery.no_event_type", _("The event type is empty or not text")
    NO_RESPONSES = "delivery.no_responses", _("No responses in the answer")
    NO_SIGNALS = "delivery.no_signals", _("No signals in the answer")
    NO_VEHICLE = "delivery.no_vehicle", _("The event doesn't name a vehicle")


class DeliveryErasureNote(MessageCatalog):
    """Why deliveries are retained when a vehicle leaves a fleet."""

    SHARED_WITH_FLEET = (
        "erasure.shared_with_fleet",
        _("Kept: another fleet on this site also uses this vehicle, and these deliveries are also its data."),
    )
