"""What a member reads about a rejection: our sentence in their language, and Smartcar's folded below."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from commands.models import Command, CommandState
from connect.models import Connection
from smartcar_api import SmartcarError
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "ours"), [("de", "Schließen Sie alle Türen"), ("fr", "Fermez toutes les portes")]
)
@pytest.mark.parametrize("page", ["vehicles/{}/commands/", "commands/"])
def test_a_rejection_is_told_in_the_members_language(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    browser_of: Callable[[User], Client],
    language: str,
    ours: str,
    page: str,
) -> None:
    User.objects.update(language=language)
    error = SmartcarError(type="VEHICLE_STATE", code="DOOR_OPEN", status=409)
    now = timezone.now()
    Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind="lock",
        state=CommandState.REFUSED,
        requested_by=owner,
        requested_at=now,
        expires_at=now,
        message_code=error.message.code,
        smartcar_message="A door is <open>.",
    )
    text = browser_of(owner).get(f"/fleets/blue/{page.format(vehicle.smartcar_id)}").content.decode()
    assert ours in text
    folded = text.partition('<details class="smartcar-words">')[2].partition("</details>")[0]
    assert "A door is &lt;open&gt;." in folded
    assert text.count("A door is &lt;open&gt;.") == 1
