"""docs/configuration.md and .env.example are up to date and name every setting."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from fleet.configuration_reference import COMPOSE, DEMO, ENV_FILE, documents
from fleet.settings import env

ROOT = Path(settings.BASE_DIR)
SETTINGS = [setting for section in env.sections for setting in section.settings]
# Set by the project for its own processes: not for users to configure.
INTERNAL = {"DJANGO_SETTINGS_MODULE", "FLEET_DEMO"}
READERS = {"required", "text", "boolean", "integer", "number", "items"}


@pytest.mark.parametrize("name", ["docs/configuration.md", ".env.example"])
def test_the_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == documents(env.sections)[name]


def test_every_setting_is_in_both_files_with_a_description() -> None:
    reference, example = documents(env.sections).values()
    for setting in SETTINGS:
        assert f"| `{setting.name}` | {setting.type} |" in reference
        assert re.search(rf"^(# )?{setting.name}=", example, re.MULTILINE)
        assert setting.doc.endswith("."), setting.name


def test_every_setting_is_declared_once() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names))


def test_required_settings_wait_for_a_value_in_the_example() -> None:
    example = documents(env.sections)[".env.example"]
    for setting in SETTINGS:
        assert setting.required <= (f"\n{setting.name}={setting.example}\n" in example)


def read_variables(path: Path) -> Iterator[str]:
    """Names of environment variables that a module reads with os.environ or a mapping called `environ`."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=mapping, attr="get"), args=[ast.Constant(value=str(name)), *_]
            ):
                pass
            case ast.Subscript(value=mapping, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
                pass
            case _:
                continue
        if ast.unparse(mapping) in ("os.environ", "environ"):
            yield name


def test_no_module_reads_an_undocumented_variable() -> None:
    apps = ("accounts", "alerts", "commands", "connect", "core", "dashboard", "demo", "fleet", "smartcar_api")
    files = [file for app in (*apps, "vehicles", "webhooks") for file in (ROOT / app).rglob("*.py")]
    read = {name for file in files for name in read_variables(file)}
    assert "DEMO_VEHICLES" in read
    others = {setting.name for section in (COMPOSE, DEMO, ENV_FILE) for setting in section.settings}
    assert read <= {setting.name for setting in SETTINGS} | others | INTERNAL


def test_compose_reads_documented_variables() -> None:
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    old_names = {setting.old_name for setting in SETTINGS}
    assert read <= {setting.name for setting in [*SETTINGS, *COMPOSE.settings]} | old_names
