"""Generates docs/configuration.md and .env.example from the settings that fleet/settings.py declares.

    python -m fleet.configuration_reference            write both files
    python -m fleet.configuration_reference --check    fail if one of them is out of date

Needs a complete environment, such as ENV_FILE=.ci/production.env.
"""

import re
import sys
import textwrap
from collections.abc import Sequence

from fleet.environment import ROOT, Section, Setting

COMMAND = "ENV_FILE=.ci/production.env .venv/bin/python -m fleet.configuration_reference"
# Variables that are read elsewhere: by docker-compose.yml, by `make demo` and before the settings.
COMPOSE = Section(
    "Docker Compose",
    [
        Setting(
            "POSTGRES_PASSWORD",
            "text",
            "Password of Compose's PostgreSQL: letters and digits only.",
            required=True,
        ),
        Setting("PORT", "integer", "The port on this machine where Compose publishes the site.", "8000"),
    ],
)
DEMO = Section(
    "Demo",
    [
        Setting("PORT", "integer", "Port of the site.", "8000"),
        Setting("SIMULATOR_PORT", "integer", "Port of the simulator.", "9400"),
        Setting(
            "DEMO_VEHICLES",
            "integer",
            "Vehicles of a new demo, from 1 to 3,000.",
            "24",
        ),
    ],
)
ENV_FILE = Section(
    "Environment file",
    [
        Setting(
            "ENV_FILE",
            "text",
            "The file to read settings from.",
            "`.env`",
        )
    ],
)
_INTRODUCTION = f"""\
# Configuration

<!-- Generated from fleet/settings.py. To update: {COMMAND} -->

Settings are environment variables. They can also be lines `NAME=value` of a file `.env` in the project's folder;
variables that are already set take precedence. [.env.example](../.env.example) is a template.

- To read a value from a file, such as a Docker secret, set `NAME_FILE` to its path.
- An empty value counts as not set.
- Booleans are `true` or `false`. Lists are separated by commas.
- A setting that was renamed is still read under its old name for one release, with a warning at startup.

`manage.py check --deploy` reports configuration mistakes.
"""
_EXAMPLE_HEAD = f"""\
# Copy this file to .env and fill it in. docs/configuration.md explains every setting.
# To read a value from a file, set NAME_FILE to its path. An empty value counts as not set.
#
# Generated from fleet/settings.py. To update: {COMMAND}
"""


def documents(sections: Sequence[Section]) -> dict[str, str]:
    """The generated files by path in the project: the reference and the example."""
    return {
        "docs/configuration.md": _reference([*sections, COMPOSE, DEMO, ENV_FILE]),
        ".env.example": _example([*sections, COMPOSE]),
    }


def _reference(sections: Sequence[Section]) -> str:
    return "\n".join([_INTRODUCTION, *map(_table, sections)])


def _table(section: Section) -> str:
    head = f"## {section.title}\n\n| Setting | Type | Required | Default | Description |\n|---|---|---|---|---|\n"
    return head + "".join(map(_row, section.settings))


def _row(setting: Setting) -> str:
    default = setting.default
    if default and default != "none" and "`" not in default and " " not in default:
        default = f"`{default}`"
    description = setting.doc
    if setting.old_name:
        description += f" Formerly `{setting.old_name}`."
    required = "yes" if setting.required else "no"
    return f"| `{setting.name}` | {setting.type} | {required} | {default or 'none'} | {description} |\n"


def _example(sections: Sequence[Section]) -> str:
    return "\n".join(
        [_EXAMPLE_HEAD, *(f"# --- {s.title} ---\n" + "".join(map(_lines, s.settings)) for s in sections)]
    )


def _lines(setting: Setting) -> str:
    """The description as a comment, and the assignment: commented out where a default applies."""
    # A default in prose ("the host of `SITE_URL`") can't be assigned.
    prose = "`" in setting.default
    doc = f"{setting.doc} Default: {setting.default}." if prose else setting.doc
    value = setting.example or ("" if prose or setting.default == "none" else setting.default)
    optional = not setting.required and (setting.default or setting.example)
    return f"{_comment(doc)}\n{'# ' if optional else ''}{setting.name}={value}\n"


def _comment(markdown: str) -> str:
    """Wraps the text, with code and links as plain text. A code span is never split, so that it can be copied."""
    text = re.sub(r"`[^`]*`", lambda code: code[0].strip("`").replace(" ", "\0"), markdown)
    text = re.sub(r"\[([^]]+)]\(([^)#]+)[^)]*\)", r"\1: docs/\2", text)
    lines = textwrap.wrap(text, 110, break_on_hyphens=False, break_long_words=False)
    return "\n".join(f"# {line}" for line in lines).replace("\0", " ")


def main(arguments: Sequence[str]) -> str | None:
    """Write the files, or with --check compare them. Returns a message if one is out of date."""
    from fleet.settings import env

    stale = []
    for name, text in documents(env.sections).items():
        path = ROOT / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text)
    if stale and "--check" in arguments:
        return f"Out of date: {', '.join(stale)}. Run: {COMMAND}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
