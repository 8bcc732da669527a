"""Bringing every stored secret under the newest key of the ring, while the system runs.

Every `*_ciphertext` column of every model is covered, and the second factors that people sign in with. A row is
written only if it still holds what was read, so a renewal of the same moment is never overwritten: whoever renews
writes under the newest key anyway. The version of a row stays as it is, so that a renewal under way can be stored.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.apps import apps
from django.db import models
from django.views.decorators.debug import sensitive_variables

from accounts import mfa
from core import encryption

BATCH = 500


@dataclass(frozen=True, slots=True)
class RotationReport:
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


def rotate(*, batch: int = BATCH) -> RotationReport:
    """Re-encrypts what is not under the newest key; `batch` rows are read at a time. Running it again is harmless."""
    done = current = 0
    unreadable = []
    for rows, bring in _rows_with_secrets():
        for pk in _keys(rows, batch):
            try:
                changed = bring(pk)
            except encryption.DecryptionError:
                unreadable.append(f"{rows.model._meta.label} {pk}")
                continue
            done += changed
            current += not changed
    return RotationReport(done, current, tuple(unreadable))


def _rows_with_secrets() -> Iterator[tuple[models.QuerySet[Any], Callable[[object], bool]]]:
    """Rows, and what brings the one of a primary key under the newest key."""
    for model, columns in encrypted_columns().items():
        yield model._default_manager.all(), partial(_bring, model, columns)
    yield mfa.with_secrets(), mfa.reencrypt


def _keys(rows: models.QuerySet[Any], batch: int) -> Iterator[object]:
    """Every primary key, in order, `batch` to a query; rows that come while we go on are met too."""
    keys = rows.order_by("pk").values_list("pk", flat=True)
    page = list(keys[:batch])
    while page:
        yield from page
        page = list(keys.filter(pk__gt=page[-1])[:batch])


@sensitive_variables()
def _bring(model: type[models.Model], columns: tuple[str, ...], pk: object) -> bool:
    """Whether the row had to be written. A row that changes under our hands is looked at again."""
    while True:
        held = model._default_manager.filter(pk=pk).values(*columns).first() or {}
        old = {column: bytes(secret) for column, secret in held.items() if secret}
        stale = {column: secret for column, secret in old.items() if not encryption.is_current(secret)}
        if not stale:
            return False
        fresh = {column: encryption.reencrypt(secret) for column, secret in stale.items()}
        if model._default_manager.filter(pk=pk, **stale).update(**fresh):
            return True
