"""Static files: serves files of npm packages, and stores all files compressed under hashed names."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from django.core.files.storage import Storage as FileStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

NODE_MODULES = Path(settings.BASE_DIR) / "node_modules"

# Address under static/ → file of an installed npm package. Only what pages use is served.
NODE_FILES = {
    "vendor/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "vendor/inter/inter.css": "@fontsource-variable/inter/wght.css",
    "vendor/maplibre-gl.mjs": "maplibre-gl/dist/maplibre-gl.mjs",
    "vendor/maplibre-gl-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
    "vendor/maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
    "vendor/uPlot.esm.mjs": "uplot/dist/uPlot.esm.js",
    "vendor/uPlot.min.css": "uplot/dist/uPlot.min.css",
    "vendor/land-10m.json": "world-atlas/land-10m.json",
    "vendor/land-110m.json": "world-atlas/land-110m.json",
    "vendor/topojson-client.min.js": "topojson-client/dist/topojson-client.min.js",
} | {
    f"vendor/inter/files/inter-{subset}-wght-normal.woff2": (
        f"@fontsource-variable/inter/files/inter-{subset}-wght-normal.woff2"
    )
    for subset in ("cyrillic", "cyrillic-ext", "greek", "greek-ext", "latin", "latin-ext", "vietnamese")
} | {
    f"vendor/icons/{name}.svg": f"@tabler/icons/icons/outline/{name}.svg"
    for name in (
        "building-store", "building-warehouse", "circle-check", "circle-dashed", "home", "map-pin", "pencil",
        "alert-triangle", "arrow-left", "battery-1", "bell", "bolt", "bookmark", "calendar", "car",
        "chart-line", "check", "chevron-down", "chevron-left", "chevron-right", "chevron-up", "columns",
        "copy", "current-location", "device-mobile", "download", "filter", "fingerprint", "focus-2",
        "gas-station", "inbox", "info-circle", "key", "keyboard", "list", "lock", "lock-open", "lock-question", "mail",
        "mail-plus", "map", "navigation", "plug-connected", "plug-x", "plus", "refresh", "search", "send",
        "settings", "steering-wheel", "trash", "user", "x", "zoom-in", "zoom-out",
        "activity", "adjustments", "code", "dots", "history", "layout-sidebar", "menu-2", "selector",
        "shield-check", "users",
    )
}  # fmt: skip


class NodePackagesFinder(BaseFinder):
    """Finds the files of NODE_FILES in node_modules/."""

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = NODE_FILES.get(path)
        found = NODE_MODULES / source if source else None
        if found is None or not found.exists():
            return []  # Django wants an empty list here even for a single file
        return [str(found)] if find_all else str(found)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileStorage]]:
        storage = RenamedFiles()
        for path, source in NODE_FILES.items():
            if (NODE_MODULES / source).exists():
                yield path, storage


class RenamedFiles(FileSystemStorage):
    """Reads node_modules/ under the names of NODE_FILES."""

    def __init__(self) -> None:
        super().__init__(location=NODE_MODULES)

    def path(self, name: str) -> str:
        return super().path(NODE_FILES[name])


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed files, created during setup. An unknown file gets a plain URL instead of an error."""

    manifest_strict = False
