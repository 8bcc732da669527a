"""What the pages weigh when they are loaded for the first time: as the real web server sends them, compressed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request

from tests.browser.page_checks import DESK, Site, look_at
from tests.browser.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]

MOST_BYTES = 600_000
# Counted apart: the map library and the coast that it draws come after the page, and a browser keeps them for a year.
MAP = ("/vendor/maplibre-gl", "/vendor/land-")
PAGES = {
    "sign in": ("/accounts/sign-in/", ""),
    "fleet": ("/fleets/blue/", "owner"),
    "car": ("/fleets/blue/vehicles/{smartcar_id}/", "owner"),
    "history": ("/fleets/blue/vehicles/{smartcar_id}/history/", "owner"),
    "commands": ("/fleets/blue/commands/", "owner"),
}


@pytest.fixture(scope="module")
def real_site(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The world behind the real web server, with static files as `make setup` makes them."""
    with serving(tmp_path_factory.mktemp("hashed"), hashed=True) as url:
        yield url


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_light_at_first_load(chromium: Browser, site: Site, real_site: str, name: str) -> None:
    path, person = PAGES[name]
    look = look_at(chromium, site, person=person, screen=DESK, url=real_site)
    asked: list[Request] = []
    look.page.on("requestfinished", lambda request: asked.append(request))
    page = look.go(path.format(**site.world.arguments))
    page.wait_for_timeout(3000)  # for what the page asks for by itself
    sizes = {
        request.url.removeprefix(real_site): sent["responseBodySize"] + sent["responseHeadersSize"]
        for request in asked
        if request.url.startswith(real_site) and (sent := request.sizes())
    }
    of_map = sum(size for url, size in sizes.items() if any(part in url for part in MAP))
    weight = sum(sizes.values()) - of_map
    heaviest = sorted(sizes.items(), key=lambda each: -each[1])
    print(f"{name}: {weight / 1000:.0f} kB, and {of_map / 1000:.0f} kB of the map")  # noqa: T201
    assert weight < MOST_BYTES, heaviest[:8]
    look.context.close()
