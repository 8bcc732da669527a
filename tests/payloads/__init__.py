"""What Smartcar sends, as files; README.md says where each comes from."""

from pathlib import Path

import orjson

_FOLDER = Path(__file__).parent
_NO_DELIVERY = ("answer-", "fragment-", "sketch-")


def read(name: str) -> bytes:
    """The bytes of a payload, named by folder and file without ".json": "variants/t-dashboard-test"."""
    return (_FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> dict[str, object]:
    """A payload as an object, to build others from."""
    loaded: dict[str, object] = orjson.loads(read(name))
    return loaded


def deliveries() -> list[str]:
    """The names of all that are whole webhook deliveries, of the documentation and of each variant."""
    files = [*_FOLDER.glob("documentation/*.json"), *_FOLDER.glob("variants/*.json")]
    return sorted(f"{f.parent.name}/{f.stem}" for f in files if not f.name.startswith(_NO_DELIVERY))


def sketches() -> dict[str, str]:
    """The documentation's abridged examples, which are no JSON as they stand, by file name."""
    return {file.stem: file.read_text() for file in sorted(_FOLDER.glob("documentation/sketch-*.txt"))}
