"""Exports of all rows about a user or a fleet as JSON lines, without secrets."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from accounts.models import User

# Parts of the names of fields with secrets, or with what links are made from.
_SECRET = ("password", "ciphertext", "hash", "nonce", "session_key", "fingerprint")
_SECRET_MODELS = {"mfa.Authenticator", "usersessions.UserSession"}
# What a user made about other people isn't part of the user's data.
_ABOUT_OTHERS = {
    "accounts.MemberInvitation",
    "connect.DriverReminder",
    "connect.Invitation",
    "core.OutgoingEmail",
}
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """A model whose rows belong to a row of another model, over the foreign keys in `path`."""

    model: type[models.Model]
    path: str


def related_models(target: type[models.Model]) -> list[ExportedModel]:
    """Returns all models with rows that belong to a row of `target`, each by its shortest path of foreign keys."""
    found: dict[type[models.Model], str] = {}
    for depth in range(1, _DEPTH + 1):
        for model in apps.get_models():
            if model not in found and model is not target and (path := _path(model, target, depth)):
                found[model] = path
    return [
        ExportedModel(model, path)
        for model, path in sorted(found.items(), key=lambda each: each[0]._meta.label)
    ]


def _path(model: type[models.Model], target: type[models.Model], depth: int) -> str:
    """Returns the path of `depth` foreign keys from the model to the target, or ""."""
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.ForeignKey):
            continue
        parent = field.related_model
        if not isinstance(parent, type) or parent is model:
            continue
        if depth == 1 and parent is target:
            return field.name
        rest = _path(parent, target, depth - 1) if depth > 1 and _owns(field) else ""
        if rest:
            return f"{field.name}__{rest}"
    return ""


def _owns(field: models.ForeignKey[Any, Any]) -> bool:
    """Whether a row belongs to the one that the field refers to, and goes with it."""
    return field.remote_field.on_delete is models.CASCADE


def export_lines(row: models.Model) -> Iterator[str]:
    """Yields the row and all rows that belong to it, one JSON object per line: the model, and its fields."""
    yield from _lines(type(row), type(row)._default_manager.filter(pk=row.pk))
    for related in related_models(type(row)):
        if isinstance(row, User) and related.model._meta.label in _ABOUT_OTHERS:
            continue
        yield from _lines(related.model, related.model._default_manager.filter(**{related.path: row.pk}))


def _lines(model: type[models.Model], rows: "models.QuerySet[Any]") -> Iterator[str]:
    names = list(_exported_fields(model))
    for values in rows.order_by().values(*names).iterator(chunk_size=1000):
        line = {"model": model._meta.label, "fields": values}
        yield json.dumps(line, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"


def _exported_fields(model: type[models.Model]) -> Iterable[str]:
    for field in model._meta.concrete_fields:
        secret = field.name == "key" or any(part in field.name for part in _SECRET)
        secret = secret or isinstance(field, models.BinaryField)
        if not secret and not (model._meta.label in _SECRET_MODELS and field.name == "data"):
            yield field.attname
