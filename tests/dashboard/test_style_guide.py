"""The style guide is for staff, and shows every component."""

import re
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.test import Client

from accounts.models import Fleet, User

BrowserOf = Callable[[User], Client]
NEED_DATA = {"breadcrumb.html", "email_status.html", "map.html", "smartcar_message.html"}


def test_only_staff_sees_the_style_guide(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    assert Client().get("/styleguide/").status_code == 302
    assert browser_of(owner).get("/styleguide/").status_code == 403
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    page = browser_of(owner).get("/styleguide/?theme=dark")
    assert page.status_code == 200
    assert 'data-theme="dark"' in page.content.decode()


def test_the_style_guide_shows_every_component(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    shown = {template.name for template in browser_of(owner).get("/styleguide/").templates if template.name}
    components = Path(settings.BASE_DIR, "templates", "components")
    existing = {file.name for file in components.iterdir()} - NEED_DATA
    assert {name for name in existing if f"components/{name}" not in shown} == set()


def test_a_field_describes_its_error(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    page = browser_of(owner).get("/styleguide/").content.decode()
    assert 'value="dana@"' in page
    field = re.search(r'<input[^>]*name="invalid-email".*?</div>', page, re.DOTALL)
    assert field is not None
    assert 'aria-invalid="true" aria-describedby="id_invalid-email-error"' in field[0]
    assert 'id="id_invalid-email-error"' in field[0]
