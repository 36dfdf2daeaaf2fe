"""Whether a figure can be drawn, found out before the work for it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rolecall.registry.core.errors import RegistryError, UsageError

Draw = Callable[[Path, Sequence[Mapping[str, Any]]], None]

_SUFFIXES = (".svg", ".png")


class PlotUnavailable(RegistryError):
    """The package that draws figures is not installed."""


def plotter(path: Path) -> Draw:
    """Return what draws a figure at `path`; raises UsageError and PlotUnavailable."""
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"cannot plot as {path.name}", hint="name it .svg or .png")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"cannot plot to {path}: there is no such folder")
    try:
        from rolecall.cli.render.plot import write_plot
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "matplotlib":
            raise
        raise PlotUnavailable(
            "plotting needs matplotlib", hint='pip install "rolecall[plot]"'
        ) from error
    return write_plot
