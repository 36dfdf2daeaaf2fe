"""How far long work has come, as a bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rolecall.registry.core.reporting import ReportProgress


@contextmanager
def counted(what: str, *, by_lines: bool = False) -> Iterator[ReportProgress]:
    """Yield a function of how much of how much is done; its bar goes when the block ends.

    Only a terminal is told anything, and not where it sees the lines of the answer come.
    """
    if not sys.stderr.isatty() or (by_lines and sys.stdout.isatty()):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    # stdout may be a pipe that is being written to: it is not to be drawn through the bar.
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        redirect_stdout=False,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
