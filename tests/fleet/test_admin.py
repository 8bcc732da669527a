"""The admin: every model is registered, no secret is shown, only staff has access."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import Client

from accounts.models import User
from connect.models import ApplicationToken, UserToken
from core import encryption
from vehicles.models import DayZone, LatestSignal, SignalCode, Vehicle, VehicleSnapshot
from webhooks.models import InboxEntry

pytestmark = pytest.mark.django_db
APPS = ("accounts", "vehicles", "alerts", "connect", "commands", "webhooks", "fleet")
# Internal models of the history, and copies of the latest signals. Models with a composite primary key, which Django's
# admin can't register, are shown on the vehicle's page if they are useful there.
INTERNAL = {SignalCode, DayZone, VehicleSnapshot}
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin@fleet.example"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_in_the_admin_searchable_and_filtered(
    model: type[models.Model], staff: Client
) -> None:
    if model in INTERNAL or isinstance(model._meta.pk, models.CompositePrimaryKey):
        assert not admin.site.is_registered(model)
        return
    registered = admin.site.get_model_admin(model)
    assert registered.search_fields
    assert registered.list_filter
    meta = model._meta
    address = f"/admin/{meta.app_label}/{meta.model_name}/"
    assert staff.get(address, {"q": "x"}).status_code == 200


def test_a_vehicles_signals_are_searched_and_filtered_on_its_page(staff: Client, vehicle: Vehicle) -> None:
    for code, status in (("closure-islocked", "SUCCESS"), ("tractionbattery-range", "ERROR")):
        LatestSignal.objects.create(vehicle=vehicle, code=code, status=status, reported_at=NOW)
    address = f"/admin/vehicles/vehicle/{vehicle.pk}/signals/"
    page = staff.get(address, {"q": "islocked"}).content.decode()
    assert "closure-islocked" in page
    assert "tractionbattery-range" not in page
    page = staff.get(address, {"status": "ERROR"}).content.decode()
    assert "closure-islocked" not in page
    assert "tractionbattery-range" in page


def test_no_page_of_the_admin_shows_a_token_or_a_body(staff: Client) -> None:
    tokens = UserToken.objects.create(
        smartcar_user_id="user-1",
        access_ciphertext=encryption.encrypt("s3cret-access"),
        refresh_ciphertext=encryption.encrypt("s3cret-refresh"),
        access_expires_at=NOW,
        refresh_expires_at=NOW,
    )
    application = ApplicationToken.objects.create(
        client_id="c", token_ciphertext=encryption.encrypt("s3cret-token")
    )
    entry = InboxEntry.objects.create(received_at=NOW, body=b"s3cret-body")
    for address in (
        f"/admin/connect/usertoken/{tokens.pk}/change/",
        f"/admin/connect/applicationtoken/{application.pk}/change/",
        f"/admin/webhooks/inboxentry/{entry.pk}/change/",
    ):
        answer = staff.get(address)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "ciphertext" not in page
        assert "s3cret" not in page
        assert bytes(tokens.access_ciphertext).decode() not in page


def test_a_user_is_added_by_email_and_a_fleet_with_its_members(staff: Client) -> None:
    password = "a long enough passphrase"
    user = {
        "email": "New@fleet.example",
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }
    assert staff.post("/admin/accounts/user/add/", user).status_code == 302
    added = User.objects.get(email__iexact="new@fleet.example")
    assert Client().login(username="new@fleet.example", password=password)
    assert staff.get(f"/admin/accounts/user/{added.pk}/change/").status_code == 200
    fleet = {
        "name": "Green",
        "slug": "green",
        "api_version": "v3",
        "unit_system": "metric",
        "time_zone": "UTC",
        "raw_retention_months": 24,
        "rollup_retention_months": 60,
    }
    members = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": added.pk,
        "memberships-0-role": "owner",
    }
    assert staff.post("/admin/accounts/fleet/add/", fleet | members).status_code == 302
    assert added.memberships.get().role == "owner"


def test_the_admin_stays_english_in_every_browser(staff: Client) -> None:
    answer = staff.get("/admin/commands/command/", headers={"accept-language": "de"})
    assert '<html lang="en"' in answer.content.decode()
    assert "Queued" in answer.content.decode()


def test_the_admin_is_for_staff_only(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get("/admin/").status_code == 302
