"""One HTML page with the newest run of every benchmark, including plots, without external resources."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from bench.results import Plot, Run

mpl.rcParams |= {"svg.fonttype": "none", "font.family": "sans-serif", "axes.spines.top": False}
mpl.rcParams |= {"axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}


def write(folder: Path) -> Path:
    """Writes `index.html` next to the JSON files in `folder` and returns its path. Unreadable files are skipped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html"])
    )
    environment.filters["drawn"] = drawn
    path = folder / "index.html"
    path.write_text(environment.get_template("page.html").render(runs=_runs(folder)), encoding="utf-8")
    return path


def _runs(folder: Path) -> list[Run]:
    runs = []
    for path in sorted(folder.glob("*.json")):
        try:
            runs.append(Run.load(path.read_bytes()))
        except (ValueError, KeyError, TypeError):  # from another version, or incomplete
            continue
    return runs


def drawn(plot: Plot) -> Markup:
    """Returns the plot as an SVG element."""
    canvas = Canvas(figsize=(7, 3.4), layout="constrained")
    axes = canvas.subplots()
    for line in plot.series:
        axes.plot(line.x, line.y, marker="o", markersize=3, label=line.label)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    if all(float(x).is_integer() for line in plot.series for x in line.x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if plot.logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    if len(plot.series) > 1:
        axes.legend(frameon=False)
    written = io.StringIO()
    canvas.savefig(written, format="svg")
    svg = written.getvalue()
    return Markup(svg[svg.index("<svg") :])
