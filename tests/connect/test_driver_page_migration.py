"""Links that a manager has created before the upgrade count as seen by a manager."""

from importlib import import_module

import pytest
from django.db import connection as database

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from connect.driver_portal import services
from connect.models import DriverPortal
from tests.connect.invited import invited


@pytest.mark.django_db
def test_renewed_pages_are_marked(fleet: Fleet, owner: User) -> None:
    pages = {
        user: services.portal_after_authorization(
            invitation=invited(fleet=fleet, user=owner), smartcar_user_id=user
        )
        for user in ("renewed", "own")
    }
    about = (AuditObject.DRIVER_PORTAL, pages["renewed"].pk)
    log_event(fleet=fleet, actor=owner, event=AuditEvent.DRIVER_PORTAL_RENEWED, about=about)
    with database.cursor() as cursor:
        cursor.execute(import_module("connect.migrations.0031_seen_driver_page_links")._MARK_RENEWED)
    marked = DriverPortal.objects.values_list("smartcar_user_id", "shown_to_manager", "link_created_by")
    assert set(marked) == {("renewed", True, owner.pk), ("own", False, None)}
