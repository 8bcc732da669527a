"""Leases: work that only one process does at a time."""

from datetime import timedelta

import pytest
from django.db import connection

from core.leases import Lease, exclusive

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_only_one_holds_a_lease_and_it_is_free_afterwards() -> None:
    with exclusive("work", lasts=MINUTE) as first:
        with exclusive("work", lasts=MINUTE) as second, exclusive("other", lasts=MINUTE) as other:
            assert (first, second, other) == (True, False, True)
        with exclusive("work", lasts=MINUTE) as third:
            assert not third
    assert not Lease.objects.exists()
    with exclusive("work", lasts=MINUTE) as again:
        assert again


def test_a_lease_is_released_after_an_exception() -> None:
    with pytest.raises(RuntimeError), exclusive("work", lasts=MINUTE):
        raise RuntimeError
    assert not Lease.objects.exists()


def test_a_lease_whose_holder_died_is_free_once_it_is_over() -> None:
    with exclusive("work", lasts=-MINUTE) as first, exclusive("work", lasts=MINUTE) as second:
        assert (first, second) == (True, True)
        holder = Lease.objects.get().holder
    assert not Lease.objects.filter(holder=holder).exists()


def test_a_former_holder_does_not_release_the_lease_of_its_successor() -> None:
    late = exclusive("work", lasts=-MINUTE)
    assert late.__enter__()
    with exclusive("work", lasts=MINUTE):
        late.__exit__(None, None, None)
        assert Lease.objects.filter(name="work").exists()


def test_no_lock_of_a_database_session_is_held() -> None:
    with exclusive("work", lasts=MINUTE), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)
