"""The size of pages on the first load, compressed as the real web server sends them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request

from tests.browser.page_checks import DESKTOP, Site, open_checker
from tests.browser.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]

MAX_BYTES = 600_000
# Counted separately: the map library and the coastline load after the page, and are cached for a year.
MAP = ("/vendor/maplibre-gl", "/vendor/land-")
PAGES = {
    "sign in": ("/accounts/sign-in/", ""),
    "fleet": ("/fleets/blue/", "owner"),
    "vehicle": ("/fleets/blue/vehicles/{smartcar_id}/", "owner"),
    "history": ("/fleets/blue/vehicles/{smartcar_id}/history/", "owner"),
    "commands": ("/fleets/blue/commands/", "owner"),
}


@pytest.fixture(scope="module")
def real_site(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a second server with the same data, and static files as built by `make setup`."""
    with serving(tmp_path_factory.mktemp("hashed"), hashed=True) as url:
        yield url


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_small_on_first_load(chromium: Browser, site: Site, real_site: str, name: str) -> None:
    path, role = PAGES[name]
    checker = open_checker(chromium, site, role=role, screen=DESKTOP, url=real_site)
    requests: list[Request] = []
    checker.page.on("requestfinished", lambda request: requests.append(request))
    page = checker.open(path.format(**site.world.arguments))
    page.wait_for_timeout(3000)  # for requests that the page's scripts make
    sizes = {
        request.url.removeprefix(real_site): sent["responseBodySize"] + sent["responseHeadersSize"]
        for request in requests
        if request.url.startswith(real_site) and (sent := request.sizes())
    }
    map_size = sum(size for url, size in sizes.items() if any(part in url for part in MAP))
    page_size = sum(sizes.values()) - map_size
    largest = sorted(sizes.items(), key=lambda each: -each[1])
    print(f"{name}: {page_size / 1000:.0f} kB, and {map_size / 1000:.0f} kB of the map")  # noqa: T201
    assert page_size < MAX_BYTES, largest[:8]
    checker.context.close()
