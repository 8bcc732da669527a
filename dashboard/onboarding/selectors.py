"""The progress of a fleet's setup, derived from existing data: no step is ticked off by hand."""

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from accounts.models import Fleet
from connect import applications
from connect.applications import Application
from connect.applications.setup_events import SetupEvent, SetupStep
from connect.models import ApplicationToken, Connection, Invitation
from connect.status.states import AuthorizationPurpose
from dashboard.onboarding.steps import Checklist, SetupTask
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry, Source


def build_checklist(*, fleet: Fleet) -> Checklist:
    """Returns the checklist, in two queries."""
    application = applications.for_fleet(fleet)
    proven, token, verified, invited, connected, has_vehicle, delivered = (
        Fleet.objects.filter(pk=fleet.pk)
        .values_list(
            Exists(_reached(application, SetupStep.CREDENTIALS)),
            Exists(_tokens(application)),
            Exists(_reached(application, SetupStep.VERIFIED)),
            Exists(Invitation.objects.filter(fleet=fleet, purpose=AuthorizationPurpose.CONNECT)),
            Exists(Connection.objects.filter(fleet=fleet)),
            Exists(Vehicle.objects.filter(fleet=fleet)),
            Exists(_deliveries(fleet)),
        )
        .get()
    )
    evidence = {
        SetupTask.CREDENTIALS: proven or token or connected,
        SetupTask.WEBHOOK: bool(application.webhook_id) or delivered,
        SetupTask.VERIFIED: verified or delivered,
        SetupTask.INVITED: invited or connected,
        SetupTask.VEHICLE: has_vehicle,
        SetupTask.DELIVERY: delivered,
    }
    return Checklist(
        done=frozenset(step for step, present in evidence.items() if present),
        address=settings.SITE_URL + reverse("webhooks:smartcar"),
    )


def _reached(application: Application, milestone: SetupStep) -> QuerySet[SetupEvent]:
    return SetupEvent.objects.filter(application=application.row, milestone=milestone)


def _tokens(application: Application) -> QuerySet[ApplicationToken]:
    """Returns the v3 token that Smartcar issued for these credentials."""
    client_id = application.credentials.client_id
    return ApplicationToken.objects.filter(~Q(client_id=""), client_id=client_id, expires_at__isnull=False)


def _deliveries(fleet: Fleet) -> QuerySet[InboxEntry]:
    """Returns recorded deliveries about the fleet's vehicles from after they were connected."""
    own_connections = Connection.objects.filter(
        fleet=fleet,
        vehicle__smartcar_id=OuterRef("smartcar_vehicle_id"),
        created_at__lte=OuterRef("received_at"),
    )
    return InboxEntry.objects.filter(
        Exists(own_connections),
        smartcar_vehicle_id__in=Vehicle.objects.filter(fleet=fleet).values("smartcar_id"),
        source=Source.WEBHOOK,
        state=EntryState.PROCESSED,
    ).exclude(smartcar_vehicle_id="")
