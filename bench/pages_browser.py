"""The vehicles page in a browser: when the vehicles are on the map, and how soon a delivered change is visible."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.pages_world import Fleet
from bench.results import Figure
from bench.stack import Stack

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = (
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # Without a graphics card, Chromium renders pages and WebGL on the processor.
    "--enable-unsafe-swiftshader",
)
_ON_MAP = "performance.getEntriesByName('vehicles-on-map')[0]?.startTime"
# From the response with the map's data until the vehicles are on the map.
_DATA = (
    "performance.getEntriesByType('resource').find((entry) => entry.name.includes('/map-data/'))?.responseEnd"
)
_WEIGHT = """
    performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
        .filter((entry) => !/maplibre|land-|topojson|map-data/.test(entry.name))
        .reduce((sum, entry) => sum + entry.transferSize, 0)
"""


@dataclass(frozen=True, slots=True)
class BrowserFigures:
    """The browser's figures, and notes about them."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def measure(
    running: Stack, fleet: Fleet, *, deliver: Callable[[int, float], None], quick: bool
) -> BrowserFigures:
    """Opens the vehicles page several times, then delivers changes of listed vehicles one after the other."""
    if not CHROMIUM.exists():
        return BrowserFigures(
            (), ("Without Chromium nothing was measured in a browser (apt-get install chromium).",)
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        # The first visit fills the server's caches; later ones are like those of a user with an empty cache.
        opened = [_open(browser, running, fleet) for _ in range(3 if quick else 9)][1:]
        lags = _lags(browser, running, fleet, deliver, changes=10 if quick else 60)
        browser.close()
    maps = [each[0] for each in opened]
    return BrowserFigures(
        figures=(
            Figure.under("page requested to vehicles on the map: median", statistics.median(maps), "ms", target=1500),
            Figure("map data to vehicles on the map: median", statistics.median(each[1] for each in opened), "ms"),
            Figure.under("first load without the map library, compressed", opened[0][2] / 1000, "kB", target=600),
            Figure.under("wire to page: p95", sorted(lags)[int(len(lags) * 0.95)], "s", target=2),
            Figure("wire to page: median", statistics.median(lags), "s"),
        ),
        notes=(
            "The browser draws its map without a graphics card, on the same processors; its cache is empty each time.",
            "Wire to page: from before a signed delivery is posted until the row in the open page shows its value.",
        ),
    )  # fmt: skip


def _page(browser: Browser, running: Stack, fleet: Fleet) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": fleet.session, "url": running.site}])
    return context.new_page()


def _open(browser: Browser, running: Stack, fleet: Fleet) -> tuple[float, float, float]:
    """Returns milliseconds until the vehicles are on the map and bytes loaded.

    The times count from the request for the page, and from the response with the map's data.
    """
    page = _page(browser, running, fleet)
    page.goto(f"{running.site}/fleets/{fleet.slug}/")
    page.wait_for_selector("#fleet-map[data-vehicles]", state="attached", timeout=60_000)
    on_map, data, weight = (float(page.evaluate(each)) for each in (_ON_MAP, _DATA, _WEIGHT))
    page.context.close()
    return on_map, on_map - data, weight


def _lags(
    browser: Browser, running: Stack, fleet: Fleet, deliver: Callable[[int, float], None], *, changes: int
) -> list[float]:
    """Returns the seconds from each delivery until the row shows the new value."""
    page = _page(browser, running, fleet)
    page.goto(f"{running.site}/fleets/{fleet.slug}/")
    page.wait_for_selector('#live-sign[data-state="live"]', timeout=30_000)
    ids = [int(row.get_attribute("data-id") or 0) for row in page.locator("#vehicle-table tbody tr").all()]
    lags = []
    for turn in range(changes):
        vehicle, charge = ids[turn % len(ids)], 3 + turn // len(ids)  # unused values so far
        began = time.monotonic()
        deliver(vehicle, charge)
        shown = page.locator(f"#vehicle-{vehicle} .level-number", has_text=re.compile(rf"^\s*{charge}%"))
        shown.wait_for(state="attached", timeout=30_000)
        lags.append(time.monotonic() - began)
    page.context.close()
    return lags
