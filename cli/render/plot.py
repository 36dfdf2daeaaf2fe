"""Success against cost as a figure for a talk; the only file that imports matplotlib."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from rolecall.cli.render.chart import (
    Point,
    curve_points,
    has_costs,
    mixed,
    oracle_point,
    single_points,
)
from rolecall.cli.render.files import write_bytes
from rolecall.cli.render.plot_labels import place_labels
from rolecall.registry.core.errors import RegistryError
from rolecall.registry.core.formatting import usd

# Okabe and Ito's colours, which the colour-blind tell apart.
_COLOURS = {"task means": "#009E73", "nearest": "#E69F00", "ours": "#0072B2"}
_INK, _GREY, _ORACLE = "#222222", "#8a8a8a", "#D55E00"
_ONE, _NAMED, _MIXED = "one model", "single model of the verdict", "single models, mixed"
_LEGEND = ("ours", "nearest", "task means", "oracle", _NAMED, _ONE, _MIXED)
_DASHES = (0, (4, 3))
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    # Text stays text, and the same figure is the same bytes.
    "svg.fonttype": "none",
    "svg.hashsalt": "rolecall",
}
_PANEL_INCHES, _ONLY_PANEL_INCHES = (7.2, 5.0), (8.6, 5.6)
_DOTS_PER_INCH = 200
_TITLE_CHARS = 56
_NEAR_HULL = 0.01
_BOW_STEPS = 16
# How far apart, in decades, the costs may lie for 1, 2 and 5 to be marked in each.
_FINE_TICKS = 2.6


def write_plot(path: Path, sets: Sequence[Mapping[str, Any]]) -> None:
    """Draw every data set with costs, a panel each, as SVG or PNG by the path's suffix.

    Raises RegistryError where nothing is known to cost anything, and FileNotWritable.
    """
    drawn = [evaluated for evaluated in sets if has_costs(evaluated)]
    if not drawn:
        raise RegistryError(
            "there is nothing to plot: no model is known to cost anything",
            hint="give prices: --prices FILE",
        )
    with mpl.rc_context(_STYLE):
        content = _rendered(_figure(drawn), path.suffix.lower().removeprefix("."))
    write_bytes(path, content)


def _rendered(figure: Figure, kind: str) -> bytes:
    content = io.BytesIO()
    # A PNG holds no date unless told to; an SVG does unless told not to.
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(content, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)
    return content.getvalue()


def _figure(sets: Sequence[Mapping[str, Any]]) -> Figure:
    columns = math.ceil(math.sqrt(len(sets)))
    rows = math.ceil(len(sets) / columns)
    width, height = _PANEL_INCHES if len(sets) > 1 else _ONLY_PANEL_INCHES
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12)
    figure = Figure(figsize=(width * columns, height * rows), layout=layout)
    panels = [figure.add_subplot(rows, columns, n) for n in range(1, len(sets) + 1)]
    for axes, evaluated in zip(panels, sets, strict=True):
        _draw(axes, evaluated)
        _dress(axes, evaluated)
    _add_legend(figure, panels, columns)
    # Only now is it known where everything stands.
    figure.draw_without_rendering()
    for axes, evaluated in zip(panels, sets, strict=True):
        _label(axes, evaluated)
    return figure


def _add_legend(figure: Figure, panels: Sequence[Axes], columns: int) -> None:
    handles: dict[str, Artist] = {}
    for axes in panels:
        found, labels = axes.get_legend_handles_labels()
        handles.update(zip(labels, found, strict=True))
    shown = [label for label in _LEGEND if label in handles]
    figure.legend(
        handles=[handles[label] for label in shown],
        loc="outside lower center",
        ncols=len(shown) if columns > 1 else 4,
        frameon=False,
    )


def _draw(axes: Axes, evaluated: Mapping[str, Any]) -> None:
    singles = _singles(evaluated)
    axes.scatter(*_across(singles.values()), s=30, color=_GREY, label=_ONE, zorder=2)
    axes.plot(
        *_across(_curve(evaluated, "mixtures")),
        color=_GREY,
        linewidth=1.1,
        linestyle=_DASHES,
        label=_MIXED,
        zorder=1,
    )
    for name, colour in _COLOURS.items():
        width, height = (3.0, 4) if name == "ours" else (1.7, 3)
        points = _across(_curve(evaluated, name))
        axes.plot(*points, color=colour, linewidth=width, label=name, zorder=height)
    if evaluated["verdict"]["model"] in singles:
        axes.scatter(
            *singles[evaluated["verdict"]["model"]], s=64, color=_INK, label=_NAMED, zorder=5
        )
    oracle = oracle_point(evaluated)
    if oracle is not None and oracle[0] > 0:
        axes.scatter(*oracle, s=200, marker="*", color=_ORACLE, label="oracle", zorder=5)


def _dress(axes: Axes, evaluated: Mapping[str, Any]) -> None:
    axes.set_xscale("log")
    axes.margins(x=0.08, y=0.08)
    left, right = axes.get_xlim()
    each = (1.0, 2.0, 5.0) if math.log10(right / left) < _FINE_TICKS else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=each, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: usd(cost)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.5g}%"))
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6)
    axes.set_xlabel("cost of 1,000 prompts (logarithmic)", labelpad=8)
    axes.set_ylabel(
        f"success on {evaluated['dataset']} ({evaluated['cases']:,} prompts)", labelpad=8
    )
    title = textwrap.fill(evaluated["verdict"]["text"], _TITLE_CHARS, break_on_hyphens=False)
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=14)


def _label(axes: Axes, evaluated: Mapping[str, Any]) -> None:
    """Name the verdict's model, then those on or near the hull, as far as there is room."""
    singles = _singles(evaluated)
    outline = curve_points(evaluated, "mixtures")
    chosen = evaluated["verdict"]["model"]
    named = {chosen: singles[chosen]} if chosen in singles else {}
    for model, at in sorted(singles.items(), key=lambda pair: -pair[1][1]):
        if at[1] > mixed(outline, at[0]) - _NEAR_HULL:
            named.setdefault(model, at)
    curves = [at for name in _COLOURS for at in _curve(evaluated, name)]
    stars = [at for at in (oracle_point(evaluated),) if at is not None and at[0] > 0]
    place_labels(axes, named, [*singles.values(), *stars, *curves], bold=chosen)


def _singles(evaluated: Mapping[str, Any]) -> dict[str, Point]:
    """Return the single models that have a place on a logarithmic axis."""
    return {model: at for model, at in single_points(evaluated).items() if at[0] > 0}


def _curve(evaluated: Mapping[str, Any], method: str) -> list[Point]:
    return _bowed([at for at in curve_points(evaluated, method) if at[0] > 0])


def _bowed(points: Sequence[Point]) -> list[Point]:
    """Return points along the straight lines between `points`: bows on a logarithmic axis."""
    found = list(points[:1])
    for start, end in pairwise(points):
        ratio = (end[0] / start[0]) ** (1 / _BOW_STEPS)
        costs = [start[0] * ratio**step for step in range(1, _BOW_STEPS)]
        found += [(cost, mixed([start, end], cost)) for cost in costs]
        found.append(end)
    return found


def _across(points: Any) -> tuple[list[float], list[float]]:
    pairs = list(points)
    return [cost for cost, _ in pairs], [success for _, success in pairs]
