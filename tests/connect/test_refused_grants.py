"""The access of a driver whose invitation was over when they finished is revoked at Smartcar."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, token_store
from connect.models import AuthorizationRequest, Connection, Discrepancy, Invitation, RefusedGrant, UserToken
from connect.reconciliation import services as reconciliation
from connect.reconciliation.diff import DiscrepancyType
from connect.refusals import services
from tests.connect.control import switch
from tests.connect.invited import at_connect, invited, walk
from tests.smartcar import authorize

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


def listed(api_version: SmartcarApiVersion) -> set[str]:
    application = applications.default_application()
    if api_version == SmartcarApiVersion.V2:
        return {each.vehicle_id for each in application.v2.all_connections()}
    token = token_store.application_access(application=application, user_id="").token
    return {
        each.vehicle_id
        for mode in ("live", "simulated")
        for each in application.v3.all_connections(token, mode=mode)
    }


def use(api_version: SmartcarApiVersion, fleet: Fleet) -> None:
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()


def refuse_second(smartcar: str, invitation: Invitation) -> str:
    """Two drivers use the same link, and the second one finishes later. Returns the second one's page."""
    late = Client()
    params = authorize(smartcar, at_connect(late, invitation), count=1)
    walk(smartcar, Client(), invitation, count=1)
    answer = late.get("/connect/callback/", params)
    assert answer.status_code == 400
    return answer.content.decode()


@both
def test_second_drivers_grant_is_ended_and_the_driver_is_told(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    use(api_version, fleet)
    invitation = invited(fleet=fleet, user=owner)
    page = refuse_second(smartcar, invitation)
    assert "revoking the access that you just granted" in page
    kept = Connection.objects.get().vehicle.smartcar_id
    grant = RefusedGrant.objects.get()
    assert listed(api_version) == {kept, grant.smartcar_vehicle_id}
    services.end_due(now=timezone.now())
    grant.refresh_from_db()
    assert grant.ended_at is not None
    assert listed(api_version) == {kept}
    assert UserToken.objects.count() == (1 if api_version == SmartcarApiVersion.V2 else 0)


def test_grant_is_tried_again_until_smartcar_answers(smartcar: str, fleet: Fleet, owner: User) -> None:
    refuse_second(smartcar, invited(fleet=fleet, user=owner))
    switch(smartcar, "troubles", serverErrors=1)
    services.end_due(now=timezone.now())
    grant = RefusedGrant.objects.get()
    assert grant.ended_at is None
    assert grant.problem
    assert grant.next_try_at > timezone.now()


@both
def test_reconciliation_ends_the_grant_and_shows_it_to_the_fleet(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    outsider: User,
    api_version: SmartcarApiVersion,
) -> None:
    use(api_version, fleet)
    refuse_second(smartcar, invited(fleet=fleet, user=owner))
    if api_version == SmartcarApiVersion.V3:
        # Smartcar's list names the authorization, also if its vehicles could not be fetched.
        RefusedGrant.objects.all().delete()
    reconciliation.reconcile_all()
    (found,) = Discrepancy.objects.all()
    assert (found.kind, found.repaired) == (DiscrepancyType.REFUSED, True)
    assert listed(api_version) == {Connection.objects.get().vehicle.smartcar_id}
    browser = Client()
    browser.force_login(owner)
    page = browser.get("/fleets/blue/connections/reconciliation/").content.decode()
    assert "Invitation for Dana" in page
    assert "Access revoked at Smartcar." in page
    browser.force_login(outsider)
    assert browser.get("/fleets/blue/connections/reconciliation/").status_code == 404
    assert (
        "Invitation for Dana" not in browser.get("/fleets/red/connections/reconciliation/").content.decode()
    )


@both
def test_grant_that_a_connection_uses_is_not_ended(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    use(api_version, fleet)
    invitation = invited(fleet=fleet, user=owner)
    late = Client()
    same = {"email": "2-vehicles@smartcar.com", "count": 1}
    params = authorize(smartcar, at_connect(late, invitation), **same)
    walk(smartcar, Client(), invitation, **same)
    late.get("/connect/callback/", params)
    assert not RefusedGrant.objects.exists()
    services.end_due(now=timezone.now())
    assert listed(api_version) == {Connection.objects.get().vehicle.smartcar_id}
    assert AuthorizationRequest.objects.count() == 2
