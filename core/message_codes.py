"""Messages that rows store as a code with parameters, and that are rendered and translated for display.

An app declares a catalog, stores `code` and `params` in two columns, and displays `render(code, params)`:

    class RunMessage(MessageCatalog):
        FAILED = "run.failed", _("Failed %(times)s times.")

    message = RunMessage.FAILED.message(times=3)   # message.code, message.params
    str(message)                                   # in the active language

Codes are stored permanently: their wording may change, their values must not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

Params = Mapping[str, Any]
CODE_LENGTH = 80  # of the columns


@dataclass(frozen=True, slots=True)
class Message:
    """A code and its parameters, which are JSON: strings, numbers, nested messages and lists of these."""

    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return render(self.code, self.params)

    def __bool__(self) -> bool:
        return bool(self.code)

    def as_param(self) -> dict[str, Any]:
        """This message as a parameter of another one."""
        return {"code": self.code, "params": self.params}


NO_MESSAGE = Message()


class MessageCatalog(models.TextChoices):
    """Base of the catalogs: a member's value is the stored code, its label a lazily translated template.

    Templates take their values as `%(name)s`; a literal percent sign is `%%`. Codes are unique among all catalogs:
    begin them with the topic (`run.failed`).
    """

    def message(self, **params: Any) -> Message:
        """The message with these parameters; a parameter may be a Message or a list of messages."""
        return Message(self.value, {name: _as_json(value) for name, value in params.items()})


class CommonMessage(MessageCatalog):
    """Messages without a text of their own."""

    TEXT = "text", "%(text)s"  # a finished text, displayed as stored
    SEQUENCE = "sequence", "%(messages)s"  # several messages, one after another


def render(code: str, params: Params | None = None) -> str:
    """The message in the active language. An unknown code is displayed as the code, an empty one as "".

    A parameter that is a message itself, `{"code": …, "params": …}`, is rendered too; a list is joined with spaces.
    """
    for catalog in MessageCatalog.__subclasses__():
        if code in catalog.values:
            values = {name: _as_text(value) for name, value in (params or {}).items()}
            return str(catalog(code).label) % _Values(values)
    return code


class _Values(dict[str, str]):
    """Replaces missing values, as in a row of another version, by "…", so that the page can still be displayed."""

    def __missing__(self, name: str) -> str:
        return "…"


def _as_text(value: object) -> str:
    if isinstance(value, Mapping) and "code" in value:
        return render(str(value["code"]), value.get("params"))
    if isinstance(value, list):
        return " ".join(_as_text(each) for each in value)
    return str(value)


def _as_json(value: object) -> object:
    if isinstance(value, Message):
        return value.as_param()
    return [_as_json(each) for each in value] if isinstance(value, (list, tuple)) else value
