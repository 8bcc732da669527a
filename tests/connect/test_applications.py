"""Several Smartcar applications side by side: credentials, tokens, connections and keys of each."""

import logging
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import applications, gateway, key_rotation, token_store
from connect.applications import registry, services
from connect.applications.models import FleetApplication, SmartcarApplication
from connect.applications.services import Secrets
from connect.gateway import CallPurpose
from connect.models import ApplicationToken, Connection, UserToken
from connect.v2 import user_tokens
from core import encryption
from tests.connect.second import second_application
from tests.smartcar import connect

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


@pytest.fixture(autouse=True)
def clear_key_cache() -> None:
    registry.clear_key_cache()


@pytest.fixture
def second(smartcar: str) -> SmartcarApplication:
    return second_application(smartcar)


def connected(smartcar: str, fleet: Fleet, owner: User) -> Connection:
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    return connection


def tokens_fetched(smartcar: str) -> int:
    requests = httpx.get(f"{smartcar}/control/requests", params={"path": "/iam/"}, timeout=10).json()[
        "requests"
    ]
    return len(requests)


@both
def test_a_fleet_connects_with_its_own_application(
    smartcar: str, fleet: Fleet, owner: User, second: SmartcarApplication, api_version: SmartcarApiVersion
) -> None:
    fleet.api_version = api_version
    fleet.save()
    services.choose_application(fleet=fleet, application=second, actor=owner)
    connection = connected(smartcar, fleet, owner)
    assert connection.application == second
    found = gateway.call(
        connection=connection,
        purpose=CallPurpose.PERSON,
        request=lambda api, access: api.attributes(access, vehicle_id=connection.vehicle.smartcar_id),
    )
    assert found.make
    entry = AuditLogEntry.objects.get(event=AuditEvent.APPLICATION_CHOSEN)
    assert (entry.data["name"], entry.actor) == ("Second", owner)


@both
def test_connected_vehicles_stay_with_their_application(
    smartcar: str, fleet: Fleet, owner: User, second: SmartcarApplication, api_version: SmartcarApiVersion
) -> None:
    fleet.api_version = api_version
    fleet.save()
    connection = connected(smartcar, fleet, owner)
    services.choose_application(fleet=fleet, application=second, actor=owner)
    connection = Connection.objects.get(pk=connection.pk)
    assert connection.application is None
    read = gateway.call(
        connection=connection,
        purpose=CallPurpose.PERSON,
        request=lambda api, access: api.attributes(access, vehicle_id=connection.vehicle.smartcar_id),
    )
    assert read.make


def test_token_pair_is_refreshed_at_the_application_that_issued_it(
    smartcar: str, fleet: Fleet, owner: User, second: SmartcarApplication
) -> None:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    services.choose_application(fleet=fleet, application=second, actor=owner)
    connected(smartcar, fleet, owner)
    services.choose_application(fleet=fleet, application=None, actor=owner)
    assert user_tokens.refresh(tokens=UserToken.objects.get()).version == 1


def test_vehicle_and_driver_can_be_connected_to_both_applications(
    smartcar: str, fleet: Fleet, owner: User, second: SmartcarApplication
) -> None:
    old = connected(smartcar, fleet, owner)
    services.choose_application(fleet=fleet, application=second, actor=owner)
    result = connect(smartcar, fleet=fleet, user=owner, vehicleIds=[old.vehicle.smartcar_id])
    (new,) = result.connections
    assert (new.vehicle, new.smartcar_user_id) == (old.vehicle, old.smartcar_user_id)
    assert new.pk != old.pk
    repeated = connect(smartcar, fleet=fleet, user=owner, vehicleIds=[old.vehicle.smartcar_id])
    assert [connection.pk for connection in repeated.connections] == [new.pk]


def test_each_application_has_one_cached_token_and_fetches_another_after_a_401(
    smartcar: str, second: SmartcarApplication
) -> None:
    each = [applications.default_application(), applications.get_application(second)]
    before = tokens_fetched(smartcar)
    tokens = [token_store.application_access(application=one, user_id="u").token for one in each]
    assert len(set(tokens)) == 2
    assert [token_store.application_access(application=one, user_id="u").token for one in each] == tokens
    assert tokens_fetched(smartcar) == before + 2
    token_store.discard_application_token(application=each[1])
    fresh = [token_store.application_access(application=one, user_id="u").token for one in each]
    assert fresh[0] == tokens[0]
    assert fresh[1] != tokens[1]


def test_rejected_token_is_replaced_only_for_its_application(
    smartcar: str, fleet: Fleet, owner: User, second: SmartcarApplication
) -> None:
    services.choose_application(fleet=fleet, application=second, actor=owner)
    connection = connected(smartcar, fleet, owner)
    token_store.application_access(application=applications.default_application(), user_id="u")
    own = ApplicationToken.objects.get(client_id=second.client_id)
    ApplicationToken.objects.filter(pk=own.pk).update(token_ciphertext=encryption.encrypt("refused"))
    read = partial(
        applications.get_application(second).v3.attributes, vehicle_id=connection.vehicle.smartcar_id
    )
    assert token_store.call_with_token(connection=connection, call=read).make
    versions = dict(ApplicationToken.objects.values_list("client_id", "version"))
    assert versions == {
        second.client_id: own.version + 1,
        applications.default_application().credentials.client_id: 1,
    }


def test_keys_of_all_applications_are_found_and_those_of_rows_cached(
    second: SmartcarApplication, django_assert_num_queries: DjangoAssertNumQueries, settings: Settings
) -> None:
    keys = applications.signing_keys()
    assert [key.application_pk for key in keys] == [None, second.pk]
    assert keys[0].token == settings.SMARTCAR_MANAGEMENT_TOKENS[0]
    assert keys[1].token not in repr(keys)
    with django_assert_num_queries(0):
        assert applications.signing_keys() == keys
    services.save_application(row=second, secrets=Secrets(management_tokens=("new", "old")))
    assert [key.token for key in applications.signing_keys()][1:] == ["new", "old"]


def test_application_with_a_lost_key_does_not_stop_deliveries_of_others(
    second: SmartcarApplication, settings: Settings
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert [key.application_pk for key in applications.signing_keys()] == [None]


def test_credentials_are_reencrypted_with_the_newest_key(
    second: SmartcarApplication, settings: Settings
) -> None:
    before = applications.get_application(second).credentials
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert key_rotation.rotate().done == 1
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    assert applications.get_application(SmartcarApplication.objects.get()).credentials == before


def test_no_secret_in_rows_or_reprs(second: SmartcarApplication) -> None:
    application = applications.get_application(second)
    credentials = application.credentials
    secrets = [credentials.application_secret, credentials.client_secret, *credentials.management_tokens]
    columns = [bytes(value) for value in vars(second).values() if isinstance(value, bytes | memoryview)]
    for secret in secrets:
        assert secret not in repr(application)
        assert all(secret.encode() not in column for column in columns)


@pytest.fixture
def admin_client(browser_of: Callable[[User], Client], owner: User) -> Client:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return browser_of(owner)


def test_admin_accepts_secrets_and_never_shows_them(
    admin_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = {"name": "New", "application_id": "the id", "client_id": "client_new", "webhook_id": "hook"}
    typed = {
        "application_secret": "s3cret-one",
        "client_secret": "s3cret-two",
        "management_tokens": "s3cret-three, s3cret-four",
    }
    admin_client.post(reverse("admin:connect_smartcarapplication_add"), form | typed)
    row = SmartcarApplication.objects.get()
    credentials = applications.get_application(row).credentials
    assert (credentials.application_secret, credentials.client_secret) == ("s3cret-one", "s3cret-two")
    assert credentials.management_tokens == ("s3cret-three", "s3cret-four")
    address = reverse("admin:connect_smartcarapplication_change", args=[row.pk])
    listed = admin_client.get(reverse("admin:connect_smartcarapplication_changelist"))
    assert "application secret, client secret, management tokens" in listed.content.decode()
    for page in (admin_client.get(address), listed):
        assert "s3cret" not in page.content.decode()
    admin_client.post(address, form | {"name": "Renamed", "client_secret": "s3cret-five"})
    row.refresh_from_db()
    credentials = applications.get_application(row).credentials
    assert (row.name, credentials.application_secret, credentials.client_secret) == (
        "Renamed",
        "s3cret-one",
        "s3cret-five",
    )
    assert "s3cret" not in caplog.text


def test_admin_selects_the_application_of_a_fleet(
    admin_client: Client, fleet: Fleet, second: SmartcarApplication
) -> None:
    chosen = {"fleet": fleet.pk, "application": second.pk}
    admin_client.post(reverse("admin:connect_fleetapplication_add"), chosen)
    assert applications.for_fleet(fleet).row == second
    choice = FleetApplication.objects.get()
    admin_client.post(reverse("admin:connect_fleetapplication_delete", args=[choice.pk]), {"post": "yes"})
    assert applications.for_fleet(fleet).row is None
    assert AuditLogEntry.objects.filter(event=AuditEvent.APPLICATION_CHOSEN).count() == 2
