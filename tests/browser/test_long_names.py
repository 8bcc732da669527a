"""Names without a space, as long as they may be, don't widen a page or push columns off the screen."""

from collections.abc import Iterator
from itertools import count

import pytest
from django.db.models import CharField, Model
from playwright.sync_api import Browser
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import ApiToken, Fleet, User
from commands.bulk.models import BulkCommand
from commands.models import Command
from connect.models import DriverPortal, Invitation, SmartcarApplication
from dashboard.vehicle_list.saved_models import SavedView
from tests.browser.page_checks import DESKTOP, PHONE, WIDEST, Screen, Site, open_checker
from vehicles.models import Place, Vehicle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]
NAMES: dict[type[Model], tuple[str, ...]] = {
    Vehicle: ("name", "plate", "group", "driver", "model"),
    Place: ("name",),
    Fleet: ("name",),
    User: ("first_name", "last_name"),
    ApiToken: ("name",),
    SavedView: ("name",),
    Invitation: ("driver_name",),
    DriverPortal: ("driver_name",),
    SmartcarApplication: ("name",),
    BulkCommand: ("reason",),
    Command: ("reason",),
}
# Elements that reach beyond the window, except in strips that people scroll, and in heads of tables, hidden on phones.
OUTSIDE = """() => [...document.querySelectorAll(
    "header, main table, main td, main th, main li, main dd, main a, main p, main .card")]
  .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > window.innerWidth + 1
    && !element.closest(".maplibregl-map, .visually-hidden, [hidden], .fleet-tiles, .tabs-inner, .coverage-card")
    && !element.closest("thead"))
  .slice(0, 12)
  .map((element) => `${element.tagName}.${element.className} "${element.textContent.trim().slice(0, 30)}"`)"""


@pytest.fixture(scope="module")
def long_names(site: Site, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Gives every named row a name of the greatest length, in one word."""
    number = count(100)
    with django_db_blocker.unblock():
        for model, columns in NAMES.items():
            for row in model._default_manager.all():
                for column in columns:
                    field = model._meta.get_field(column)
                    assert isinstance(field, CharField) and field.max_length
                    setattr(row, column, (f"Wm{next(number)}" * 100)[: field.max_length])
                row.save()
        yield


@pytest.mark.usefixtures("long_names")
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=str)
def test_no_page_is_wider_than_the_screen(chromium: Browser, site: Site, screen: Screen) -> None:
    problems = {}
    for role in {visit.role for visit in site.inventory.pages}:
        checker = open_checker(chromium, site, role=role, screen=screen)
        for visit in (each for each in site.inventory.pages if each.role == role):
            page = checker.open(visit.path)
            width = page.evaluate("document.scrollingElement.scrollWidth")
            outside = page.evaluate(OUTSIDE)
            if width > screen.width or outside:
                problems[str(visit)] = (width, page.evaluate(WIDEST), outside)
        checker.context.close()
    assert not problems, "\n".join(f"{visit}: {found}" for visit, found in problems.items())
