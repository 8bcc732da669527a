"""`seed_demo`: a new demo gets its fleets and their past once, and an existing demo stays as it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditLogEntry, Fleet, MemberInvitation, Membership, User
from accounts.services import create_fleet
from connect.models import Invitation
from vehicles.models import Place

pytestmark = pytest.mark.django_db

ADDRESSES = {"DEMO_EMAIL": "morgan@bay-couriers.example", "DEMO_OTHER_EMAIL": "sam@harbor-rentals.example"}
PASSWORDS = {"DEMO_PASSWORD": "first", "DEMO_OTHER_PASSWORD": "second"}
NEW = {"DEMO_HISTORY_DAYS": "60", "DEMO_MUNICH_VEHICLES": "8"}


@pytest.fixture
def seed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Returns a function that runs the command with these variables, with a simulator without vehicles."""
    settings.DEMO = True
    client = httpx.Client
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"vehicles": []}))

    def connected(**options: Any) -> httpx.Client:
        return client(**options, transport=transport)

    def run(**variables: str) -> None:
        for name in NEW:
            monkeypatch.delenv(name, raising=False)
        for name, value in (ADDRESSES | PASSWORDS | variables).items():
            monkeypatch.setenv(name, value)
        with monkeypatch.context() as patched:
            patched.setattr(httpx, "Client", connected)
            call_command("seed_demo")

    return run


def contents() -> dict[str, int]:
    models = (Fleet, Membership, Place, Invitation, AuditLogEntry, User)
    return {model.__name__: model.objects.count() for model in models}


def test_a_new_demo_has_three_fleets_that_are_sixty_days_old(seed: Callable[..., None]) -> None:
    seed(**NEW)
    assert set(Fleet.objects.values_list("slug", flat=True)) == {
        "bay-couriers",
        "isar-kuriere",
        "harbor-rentals",
    }
    month_ago = timezone.now() - timedelta(days=59)
    assert not Fleet.objects.filter(created_at__gt=month_ago).exists()
    assert User.objects.get(email=ADDRESSES["DEMO_OTHER_EMAIL"]).fleets.get().slug == "harbor-rentals"


def test_the_next_start_changes_nothing(seed: Callable[..., None]) -> None:
    seed(**NEW)
    before = contents()
    seed(**NEW)
    assert contents() == before


def test_a_seeding_that_was_interrupted_is_finished(seed: Callable[..., None]) -> None:
    seed(**NEW)
    before = contents()
    Invitation.objects.all().delete()
    MemberInvitation.objects.all().delete()
    Fleet.objects.update(created_at=timezone.now())
    seed(**NEW)
    assert contents()["Invitation"] == before["Invitation"]


def test_a_demo_of_an_earlier_version_stays_as_it_is(seed: Callable[..., None]) -> None:
    owner = User.objects.create_user(ADDRESSES["DEMO_EMAIL"], "first", first_name="Morgan", last_name="Reyes")
    other = User.objects.create_user(
        ADDRESSES["DEMO_OTHER_EMAIL"], "second", first_name="Sam", last_name="Okafor"
    )
    create_fleet(name="Bay Couriers", slug="bay-couriers", owner=owner, api_version="v3")
    create_fleet(name="Harbor Rentals", slug="harbor-rentals", owner=other, api_version="v2")
    before = contents()
    seed()
    assert contents() == before


def test_nothing_is_seeded_without_a_demo(seed: Callable[..., None], settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="isn't a demo"):
        seed(**NEW)
    assert not Fleet.objects.exists()
