"""Ending the old connections of cars whose data comes by their fleet's new application: proved by a delivery about
the car that was signed with that application's key, after the new connection was subscribed.
"""

from connect.applications import application_migration
from connect.applications.application_migration import Replacement
from webhooks import keys
from webhooks.models import EntryState, InboxEntry, Source


def finish_cutover() -> int:
    """Ends what has been replaced; returns how many. What Smartcar could not be told is tried again next time."""
    return sum(
        application_migration.retire(replacement=each)
        for each in application_migration.replaced_connections()
        if _is_delivering(each)
    )


def _is_delivering(replacement: Replacement) -> bool:
    new = replacement.new
    received = InboxEntry.objects.filter(
        smartcar_vehicle_id=new.vehicle.smartcar_id,
        source=Source.WEBHOOK,
        state=EntryState.PROCESSED,
        received_at__gte=new.subscribed_at,
    )
    return keys.signed_by(received, application=new.application_id).exists()
