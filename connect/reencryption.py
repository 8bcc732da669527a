"""Bringing every stored secret under the newest key of the ring, while the system runs.

Every `*_ciphertext` column of every model is covered. A row is written only if it still holds what was read,
so a renewal of the same moment is never overwritten: whoever renews writes under the newest key anyway. The
version of a row stays as it is, so that a renewal under way can still be stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.views.decorators.debug import sensitive_variables

from accounts import keyring

BATCH = 500


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did: rows brought under the newest key, rows that were already, names of rows no key fits."""

    done: int
    current: int
    unreadable: tuple[str, ...]


def encrypted_columns() -> dict[type[models.Model], tuple[str, ...]]:
    """The models with secrets, and their columns."""
    found = {
        model: tuple(
            field.name for field in model._meta.concrete_fields if field.name.endswith("_ciphertext")
        )
        for model in apps.get_models()
    }
    return {model: columns for model, columns in found.items() if columns}


def run(*, batch: int = BATCH) -> Report:
    """Re-encrypts what is not under the newest key; `batch` rows are read at a time. Running it again is harmless."""
    done = current = 0
    unreadable = []
    for model, columns in encrypted_columns().items():
        for pk in _keys(model, batch):
            try:
                changed = _bring(model, columns, pk)
            except keyring.WrongKeyError:
                unreadable.append(f"{model._meta.label} {pk}")
                continue
            done += changed
            current += not changed
    return Report(done, current, tuple(unreadable))


def _keys(model: type[models.Model], batch: int) -> Iterator[object]:
    """Every primary key, in order, `batch` to a query; rows that come while we go on are met too."""
    rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
    page = list(rows[:batch])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1])[:batch])


@sensitive_variables()
def _bring(model: type[models.Model], columns: tuple[str, ...], pk: object) -> bool:
    """Whether the row had to be written. A row that changes under our hands is looked at again."""
    while True:
        held = model._default_manager.filter(pk=pk).values(*columns).first() or {}
        old = {column: bytes(secret) for column, secret in held.items() if secret}
        stale = {column: secret for column, secret in old.items() if not keyring.is_current(secret)}
        if not stale:
            return False
        fresh = {column: keyring.reencrypt(secret) for column, secret in stale.items()}
        if model._default_manager.filter(pk=pk, **stale).update(**fresh):
            return True
