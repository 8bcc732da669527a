"""Ends the old connections of vehicles that deliver through their fleet's new application.

The evidence is a processed delivery about the vehicle that was signed with the new application's key and received
after the new connection was subscribed.
"""

from connect.applications import application_migration
from connect.applications.application_migration import Replacement
from webhooks import keys
from webhooks.models import EntryState, InboxEntry, Source


def finish_cutover() -> int:
    """Ends replaced connections and returns how many. Those that can't be ended at Smartcar are retried next time."""
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
