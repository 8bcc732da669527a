"""Re-encrypts all stored secrets with the newest key while the system runs.

Covers each `*_ciphertext` column of all models, and users' second factors. A row is written only if its values are
still those that were read, so a concurrent renewal is never overwritten; a renewal encrypts with the newest key
anyway. The row's version doesn't change, so that a renewal in progress can be stored.
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
    """The result of a run: rows re-encrypted, rows already on the newest key, and rows that no key can decrypt."""

    done: int
    current: int
    unreadable: tuple[str, ...]


def encrypted_columns() -> dict[type[models.Model], tuple[str, ...]]:
    """Returns the models with encrypted columns, and these columns."""
    found = {
        model: tuple(
            field.name for field in model._meta.concrete_fields if field.name.endswith("_ciphertext")
        )
        for model in apps.get_models()
    }
    return {model: columns for model, columns in found.items() if columns}


def rotate(*, batch: int = BATCH) -> RotationReport:
    """Re-encrypts secrets that don't use the newest key, `batch` rows per query. Running it again is harmless."""
    done = current = 0
    unreadable = []
    for rows, reencrypt_row in _rows_with_secrets():
        for pk in _primary_keys(rows, batch):
            try:
                changed = reencrypt_row(pk)
            except encryption.DecryptionError:
                unreadable.append(f"{rows.model._meta.label} {pk}")
                continue
            done += changed
            current += not changed
    return RotationReport(done, current, tuple(unreadable))


def _rows_with_secrets() -> Iterator[tuple[models.QuerySet[Any], Callable[[object], bool]]]:
    """Yields querysets of rows with secrets, and the function that re-encrypts the row of a primary key."""
    for model, columns in encrypted_columns().items():
        yield model._default_manager.all(), partial(_reencrypt_row, model, columns)
    yield mfa.with_secrets(), mfa.reencrypt


def _primary_keys(rows: models.QuerySet[Any], batch: int) -> Iterator[object]:
    """Yields all primary keys in order, `batch` per query, including those of rows added meanwhile."""
    keys = rows.order_by("pk").values_list("pk", flat=True)
    page = list(keys[:batch])
    while page:
        yield from page
        page = list(keys.filter(pk__gt=page[-1])[:batch])


@sensitive_variables()
def _reencrypt_row(model: type[models.Model], columns: tuple[str, ...], pk: object) -> bool:
    """Re-encrypts a row and returns whether it was written. A row that changes meanwhile is read again."""
    while True:
        stored = model._default_manager.filter(pk=pk).values(*columns).first() or {}
        old = {column: bytes(secret) for column, secret in stored.items() if secret}
        stale = {column: secret for column, secret in old.items() if not encryption.is_current(secret)}
        if not stale:
            return False
        fresh = {column: encryption.reencrypt(secret) for column, secret in stale.items()}
        if model._default_manager.filter(pk=pk, **stale).update(**fresh):
            return True
