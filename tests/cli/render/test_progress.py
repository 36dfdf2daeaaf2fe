"""How far long work has come, on a terminal's stderr."""

from __future__ import annotations

import io
import sys

import pytest

from rolecall.cli.render.progress import counted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_count_and_then_a_clean_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with counted("reading prompts") as report:
        report(1, 1200)
        report(2, 1200)  # too soon after the first
        report(1200, 1200)
    first, last, blank, end = screen.getvalue().split("\r")[1:]
    assert first == "reading prompts: 1 of 1,200"
    assert last == "reading prompts: 1,200 of 1,200"
    assert blank == " " * len(last)
    assert end == ""


def test_the_line_goes_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert screen.getvalue().endswith(" \r")


def interrupted() -> None:
    with counted("reading prompts") as report:
        report(1, 2)
        raise KeyboardInterrupt


def test_nothing_is_told_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with counted("reading prompts") as report:
        report(1, 2)
    assert capsys.readouterr().err == ""
