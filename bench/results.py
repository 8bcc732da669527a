"""The results of a benchmark: figures, plots and notes, and their JSON format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, such as 1.41 "times the quick start"; `target` describes the goal, such as "≥ 1.3".

    `met` is None without a target. An `exact` figure that misses its target is a wrong result on any machine;
    others may only be slow.
    """

    label: str
    value: float
    unit: str = ""
    target: str = ""
    met: bool | None = None
    exact: bool = False

    @classmethod
    def exactly(cls, label: str, value: float, unit: str, *, target: float) -> Figure:
        """A figure that must equal `target`; any other value is a wrong result."""
        return cls(label, value, unit, f"{target:g}", value == target, exact=True)

    @classmethod
    def at_least(cls, label: str, value: float, unit: str, *, target: float) -> Figure:
        """A figure that should be `target` or more."""
        return cls(label, value, unit, f"at least {target:g}", value >= target)

    @classmethod
    def under(cls, label: str, value: float, unit: str, *, target: float) -> Figure:
        """A figure that should be less than `target`."""
        return cls(label, value, unit, f"under {target:g}", value < target)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: `x` and `y` have the same length."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over common axes, whose labels include the units."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The results of one benchmark. `notes` are sentences: what was compared to what, and under which conditions."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether no figure misses its target."""
        return all(figure.met is not False for figure in self.figures)

    @property
    def correct(self) -> bool:
        """Whether no exact figure misses its target."""
        return all(figure.met is not False for figure in self.figures if figure.exact)


@dataclass(frozen=True, slots=True)
class Run:
    """A result with when (ISO 8601, UTC), where and how it was measured, and the duration in seconds."""

    result: Result
    at: str
    seconds: float
    quick: bool
    commit: str
    machine: str

    def dump(self) -> bytes:
        """Returns the run as JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)

    @classmethod
    def load(cls, raw: bytes) -> Run:
        """Parses what `dump` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        values = orjson.loads(raw)
        return cls(**(values | {"result": _result(values["result"])}))


def _result(values: Mapping[str, Any]) -> Result:
    plots = (
        Plot(**(plot | {"series": tuple(Series(**line) for line in plot["series"])}))
        for plot in values["plots"]
    )
    return Result(
        name=values["name"],
        title=values["title"],
        figures=tuple(Figure(**figure) for figure in values["figures"]),
        plots=tuple(plots),
        notes=tuple(values["notes"]),
    )
