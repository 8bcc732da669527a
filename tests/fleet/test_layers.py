"""Apps use only lower layers, also through task names and templates, which the import contract can't check."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Engine

ROOT = Path(settings.BASE_DIR)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS: list[str] = next(each["layers"] for each in CONTRACTS if each["type"] == "layers")
TASK = re.compile(rf"""["']({"|".join(LAYERS)})\.(?:\w+\.)*tasks\.\w+["']""")
TEMPLATE = re.compile(r"""\{%\s*(?:include|extends)\s+["']([\w-]+)/""")
LIBRARIES = re.compile(r"\{%\s*load\s+([\w ]+?)\s*%\}")


def apps_of_named_tasks(app: str) -> Iterator[tuple[Path, str]]:
    """Yields the apps whose tasks the app's code names, with the file."""
    for file in (ROOT / app).rglob("*.py"):
        if "migrations" not in file.parts:
            for other in TASK.findall(file.read_text()):
                yield file, other


def library_apps() -> dict[str, str]:
    """Returns the app of each of the project's template tag libraries."""
    return {file.stem: app for app in LAYERS for file in (ROOT / app).glob("templatetags/[a-z]*.py")}


def used_by_templates(app: str) -> Iterator[tuple[Path, str]]:
    """Yields the apps whose templates and libraries the app's templates use, with the file."""
    libraries = library_apps()
    for file in (ROOT / "templates" / app).rglob("*.*"):
        text = file.read_text()
        yield from ((file, other) for other in TEMPLATE.findall(text) if other in LAYERS)
        for names in LIBRARIES.findall(text):
            yield from ((file, libraries[name]) for name in names.split() if name in libraries)


@pytest.mark.parametrize("app", [app for app in LAYERS if app not in ("demo", "fleet")])
def test_an_app_names_only_tasks_of_itself_and_lower_apps(app: str) -> None:
    above = LAYERS[: LAYERS.index(app)]
    assert [(str(file), other) for file, other in apps_of_named_tasks(app) if other in above] == []


@pytest.mark.parametrize("app", [app for app in LAYERS if (ROOT / "templates" / app).is_dir()])
def test_templates_use_only_templates_of_their_app_and_lower_apps(app: str) -> None:
    above = LAYERS[: LAYERS.index(app)]
    assert [(str(file), other) for file, other in used_by_templates(app) if other in above] == []


def test_the_search_finds_tasks_libraries_and_templates() -> None:
    assert ("core" in {other for _, other in apps_of_named_tasks("core")}) and library_apps()
    assert {other for _, other in used_by_templates("dashboard")} >= {"dashboard", "commands"}


def test_builtin_template_libraries_belong_to_the_lowest_apps() -> None:
    ours = {each.partition(".")[0] for each in Engine.get_default().builtins} & set(LAYERS)
    assert ours == {"core", "vehicles"}
