"""Fixtures for users, fleets and the task queue. For servers and the simulator see tests/servers.py."""

import os
from collections.abc import Callable, Iterator
from queue import Empty

import pytest
from celery import current_app
from django.conf import settings as site
from django.test import Client, override_settings
from pytest_django import Settings

from accounts.models import Fleet, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from tests.servers import Simulator, has_own_database
from tests.smartcar import reset
from vehicles.models import Vehicle


def make_user(email: str) -> User:
    """Create a user without a password, because hashing one takes longer than most tests."""
    return User.objects.create_user(email)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Whether the test database already exists: on the tests' own servers it is a copy of the template."""
    return has_own_database()


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix(django_db_keepdb: bool) -> None:
    """Give each worker a database of its own if all use one server, which only an external server is."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and not django_db_keepdb:
        database = site.DATABASES["default"]
        database.setdefault("TEST", {})["NAME"] = f"test_{database['NAME']}_{worker}"


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Use a quick hasher, because hashing passwords as in production takes longer than most tests."""
    with override_settings(PASSWORD_HASHERS=["tests.hashers.QuickHasher"]):
        yield


@pytest.fixture
def owner(db: None) -> User:
    return make_user("owner@fleet.example")


@pytest.fixture
def fleet(owner: User) -> Fleet:
    return create_fleet(name="Blue Fleet", slug="blue", owner=owner, api_version=SmartcarApiVersion.V3)


@pytest.fixture
def teammate(fleet: Fleet) -> User:
    """A manager of the fleet."""
    user = make_user("manager@fleet.example")
    add_member(fleet=fleet, user=user, role=Role.MANAGER, actor=None)
    return user


@pytest.fixture
def viewer(fleet: Fleet) -> User:
    user = make_user("viewer@fleet.example")
    add_member(fleet=fleet, user=user, role=Role.VIEWER, actor=None)
    return user


@pytest.fixture
def driver(fleet: Fleet) -> User:
    user = make_user("driver@fleet.example")
    add_member(fleet=fleet, user=user, role=Role.DRIVER, actor=None)
    return user


@pytest.fixture
def outsider(db: None) -> User:
    """The owner of another fleet."""
    user = make_user("outsider@elsewhere.example")
    create_fleet(name="Red Fleet", slug="red", owner=user, api_version=SmartcarApiVersion.V3)
    return user


@pytest.fixture
def vehicle(fleet: Fleet) -> Vehicle:
    return Vehicle.objects.create(
        fleet=fleet,
        smartcar_id="11111111-2222-4333-8444-555555555555",
        name="Van 1",
        make="TESLA",
        model="Model 3",
        year=2022,
    )


@pytest.fixture
def browser_of() -> Callable[[User], Client]:
    """Returns a test client that is signed in as the user."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def mails(settings: Settings) -> None:
    """The site sends email."""
    settings.EMAIL_ENABLED = True


@pytest.fixture
def smartcar(simulator: Simulator) -> Iterator[str]:
    """The simulator's address, with nothing granted yet."""
    reset(simulator.url)
    yield simulator.url
    reset(simulator.url)


@pytest.fixture
def run_enqueued() -> Iterator[Callable[[], list[str]]]:
    """Runs the tasks in the broker in this process. Returns their names in order."""

    def run() -> list[str]:
        names = []
        current_app.loader.import_default_modules()
        with current_app.connection_for_read() as connection:
            for queue_name in ("default", "commands"):
                queue = connection.SimpleQueue(queue_name)
                while True:
                    try:
                        message = queue.get_nowait()
                    except Empty:
                        break
                    message.ack()
                    names.append(message.headers["task"])
                    current_app.tasks[message.headers["task"]](*message.payload[0])
                queue.close()
        return names

    yield run
    with current_app.connection_for_write() as connection:
        for queue_name in ("default", "commands"):
            queue = connection.SimpleQueue(queue_name)
            queue.clear()
            queue.close()
