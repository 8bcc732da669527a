"""The page with the figures and plots, and the table in docs/accuracy.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, select_autoescape

from score.thinning import INTERVALS

_BEGIN: Final = "<!-- The table below is written by `make score`. -->"
_END: Final = "<!-- The table ends here. -->"
_WIDTH, _HEIGHT = 320, 180
_COLORS: Final = {"ours": "#2563eb", "movingpandas": "#d97706", "trackintel": "#6b7280"}

Figures = Mapping[str, Any]


def write(folder: Path, results: Mapping[str, Mapping[str, Mapping[str, Figures]]]) -> Path:
    """Writes `index.html` into the folder and returns its path."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html"])
    )
    path = folder / "index.html"
    groups = [
        (source, [(name, rows, _lines(rows)) for name, rows in variants.items()])
        for source, variants in results.items()
    ]
    page = environment.get_template("page.html").render(
        groups=groups, width=_WIDTH, height=_HEIGHT, colors=_COLORS, intervals=INTERVALS
    )
    path.write_text(page, encoding="utf-8")
    return path


def _lines(rows: Mapping[str, Figures]) -> list[tuple[str, str]]:
    """Returns (color, points of an SVG polyline) for the F1 of ours and of each peer over the intervals."""
    found = {"ours": [figures["trips"]["f1"] for figures in rows.values()]}
    for figures in rows.values():
        for peer, result in figures.get("peers", {}).items():
            found.setdefault(peer, []).append(result["f1"])
    return [(_COLORS[name], _points(values)) for name, values in found.items()]


def _points(values: list[float]) -> str:
    step = _WIDTH / max(1, len(values) - 1)
    return " ".join(f"{index * step:.0f},{_HEIGHT * (1 - value):.0f}" for index, value in enumerate(values))


def write_table(path: Path, results: Mapping[str, Mapping[str, Mapping[str, Figures]]]) -> None:
    """Replaces the table in a Markdown document that has the two marks. Raises `ValueError` if it hasn't."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{path} has no marks for the table.")
    path.write_text(f"{before}{_BEGIN}\n\n{table(results)}\n{_END}{after}", encoding="utf-8")


def table(results: Mapping[str, Mapping[str, Mapping[str, Figures]]]) -> str:
    """Returns the tables of all sources in Markdown."""
    return "\n".join(f"### {_TITLES[source]}\n\n{_table(variants)}" for source, variants in results.items())


_TITLES: Final = {"weeks": "Real drives", "simulator": "Simulated vehicles"}
_HEAD: Final = (
    "| Variant | Minutes | Precision | Recall | F1 | Inside the interval | Start, 90 % within | Distance, 90 % within "
    "| movingpandas F1 | trackintel F1 |\n|---|---|---|---|---|---|---|---|---|---|\n"
)


def _table(variants: Mapping[str, Mapping[str, Figures]]) -> str:
    return _HEAD + "".join(
        _row(name, minutes, figures) for name, rows in variants.items() for minutes, figures in rows.items()
    )


def _row(name: str, minutes: str, figures: Figures) -> str:
    trips = figures["trips"]
    cells = [f"`{name}`", minutes, *(f"{trips[key]:.3f}" for key in ("precision", "recall", "f1"))]
    cells.append(f"{trips.get('interval_coverage', 0):.0%}".replace("%", " %"))
    cells += [f"{trips['start_error_p90_min']:.1f} min", f"{trips['distance_error_p90']:.1f} km"]
    found = figures.get("peers", {})
    cells += [f"{found[peer]['f1']:.3f}" if peer in found else "–" for peer in ("movingpandas", "trackintel")]
    return f"| {' | '.join(cells)} |\n"
