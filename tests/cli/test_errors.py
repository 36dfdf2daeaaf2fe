"""Failures become one line, perhaps a hint, and the right exit code."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from rolecall.cli.errors import guarded
from rolecall.registry.core.errors import (
    BudgetExceeded,
    NothingEligible,
    RegistryError,
    RegistryUnusable,
    UsageError,
)


def failing(error: BaseException) -> Any:
    def command() -> NoReturn:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UsageError("it failed"), 2),
        (RegistryUnusable("it failed"), 1),
        (NothingEligible("it failed"), 3),
        (BudgetExceeded("it failed"), 6),
    ],
)
def test_each_failure_has_its_exit_code(
    error: RegistryError, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(failing(error)) == exit_code
    assert capsys.readouterr() == ("", "error: it failed\n")


def test_a_hint_follows_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(failing(RegistryError("it failed", hint="rolecall roles list"))) == 1
    assert capsys.readouterr().err == "error: it failed\nhint: rolecall roles list\n"


def test_a_name_with_control_characters_stays_on_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    guarded(failing(RegistryError("no role is named a\nb\x1b[31m")))
    assert capsys.readouterr().err == "error: no role is named a b [31m\n"


def test_a_listing_goes_on_in_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    error = UsageError("2 bad lines\na:1: no prompt\nb:2: \x1b[31mno scores", hint="mend them")
    error.is_listing = True
    assert guarded(failing(error)) == 2
    said = "error: 2 bad lines\n  a:1: no prompt\n  b:2:  [31mno scores\nhint: mend them\n"
    assert capsys.readouterr().err == said


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(failing(ZeroDivisionError()))


def test_an_exit_code_asked_for_is_returned() -> None:
    assert guarded(lambda: 3) == 3
    assert guarded(lambda: None) == 0
