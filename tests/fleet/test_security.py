"""Security headers of every response, and what templates must not contain."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style|href=\"javascript:", re.IGNORECASE)
TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))


@pytest.mark.django_db
def test_the_content_security_policy_is_strict() -> None:
    policy = Client().get("/accounts/sign-in/").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";") if part.strip())
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.django_db
def test_pages_forbid_framing_sniffing_and_referrers() -> None:
    headers = Client().get("/accounts/sign-in/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_contains_what_the_policy_forbids(template: Path) -> None:
    assert not INLINE.search(template.read_text())


@pytest.mark.django_db
def test_an_error_page_explains_what_to_do_without_internals() -> None:
    page = Client().get("/no/such/page/")
    assert page.status_code == 404
    assert "Page not found" in page.content.decode()
    assert "urlpatterns" not in page.content.decode()
