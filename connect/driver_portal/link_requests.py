"""Resends drivers their links at their request, without revealing whether an address is known."""

from datetime import datetime

from django.db import transaction

from connect.driver_portal.models import DriverPortal
from connect.emails import queue_invitation, queue_portal_link
from connect.models import Invitation


@transaction.atomic
def send_links(*, address: str, now: datetime) -> None:
    """Queues the links of the driver's pages, and of the open invitations, that have this email address.

    They are sent to the address on record. The response doesn't reveal whether there is one.
    """
    for page in DriverPortal.objects.filter(driver_email__iexact=address, revoked_at=None):
        queue_portal_link(page=page, user=None)
    invited = Invitation.objects.filter(driver_email__iexact=address, by_email=True)
    for invitation in invited.filter(used_at=None, revoked_at=None, expires_at__gt=now):
        queue_invitation(invitation=invitation, user=None)
