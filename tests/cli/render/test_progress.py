"""How far long work has come, on a terminal's stderr."""

from __future__ import annotations

import io
import sys

import pytest

from rolecall.cli.render.progress import counted

ERASED_LINE = "\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("fails", [False, True])
def test_a_terminal_sees_the_count_and_then_a_clean_line(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    try:
        with counted("reading prompts") as report:
            report(600, 1200)
            assert not fails
            report(1200, 1200)
    except AssertionError:
        assert fails
    shown, _, after = screen.getvalue().rpartition(ERASED_LINE)
    assert "reading prompts" in shown
    assert ("600/1200" if fails else "1200/1200") in shown
    assert after.strip("\n") == ""


def test_what_is_printed_meanwhile_stays_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with counted("predicting") as report:
        report(1, 2)
        sys.stdout.write("one\n")
    assert capsys.readouterr().out == "one\n"


def test_nothing_is_told_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with counted("reading prompts") as report:
        report(1, 2)
    assert capsys.readouterr().err == ""
