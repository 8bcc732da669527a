"""The API's reference page: everything that the description has, in the reader's language."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Fleet, User
from core.api.description import api_description
from dashboard.api_reference.outline import outline, type_text
from dashboard.templatetags.api_reference import description

PAGE = "/api-reference/"


@pytest.fixture
def page(db: None) -> str:
    answer = Client().get(PAGE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_operation_and_type_has_a_section_and_every_link_a_target(page: str) -> None:
    described = api_description()
    operations = {each["operationId"] for path in described["paths"].values() for each in path.values()}
    targets = re.findall(r' id="([^"]+)"', page)
    assert len(targets) == len(set(targets))
    assert operations <= set(targets)
    assert {f"type-{name}" for name in described["components"]["schemas"]} <= set(targets)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(targets)


def test_parameters_show_their_types_limits_and_descriptions(page: str) -> None:
    section = page.partition('id="vehicles_list"')[2].partition("</section>")[0]
    assert "charge_below" in section
    assert "State of charge below this, in percent." in section
    assert "from 0" in section
    assert '<a href="#type-OrderingEnum">' in section
    assert "Too many calls" in section


def test_the_page_is_in_the_readers_language_and_its_descriptions_are_marked_as_english(db: None) -> None:
    german = Client(headers={"Accept-Language": "de"}).get(PAGE).content.decode()
    assert "Antworten" in german
    assert '<td lang="en"><p>State of charge below this' in german


def test_it_needs_no_script_or_style_of_its_own_lines(page: str) -> None:
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]* src=)", page)


def test_members_find_it_on_the_tokens_page(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    tokens = browser_of(owner).get(reverse("accounts:tokens", args=[fleet.slug])).content.decode()
    assert f'href="{PAGE}"' in tokens


def test_only_reading_is_allowed(db: None) -> None:
    assert Client().post(PAGE).status_code == 405


def test_descriptions_are_escaped() -> None:
    assert (
        description("Use `a<b>`.\n\n<script>") == "<p>Use <code>a&lt;b&gt;</code>.</p><p>&lt;script&gt;</p>"
    )


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"], "format": "date-time"}, "string (date-time) or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Point"}}, "list of Point"),
        ({"oneOf": [{"$ref": "#/components/schemas/Point"}, {"type": "null"}]}, "Point or null"),
        ({"const": False}, "false"),
        ({"enum": ["a", "b"]}, '"a" or "b"'),
        ({}, "anything"),
    ],
)
def test_types_are_written_out(schema: dict[str, object], shown: str) -> None:
    assert "".join(part.text for part in type_text(schema)) == shown


def test_topics_are_those_of_the_description() -> None:
    found = outline(api_description())
    assert [topic.name for topic in found.topics] == ["Commands", "Deliveries", "Vehicles"]
    assert {"X-Request-Id", "Retry-After", "ETag"} <= {header.name for header in found.headers}
