"""What systemd and cron are given so that endpoints are probed again and again."""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest

from rolecall.registry.calls.probe_timer import cron_schedule, timer_text


@pytest.mark.parametrize(
    ("minutes", "schedule"),
    [
        (1, "*/1 * * * *"),
        (30, "*/30 * * * *"),
        (60, "0 */1 * * *"),
        (240, "0 */4 * * *"),
        (1440, "0 4 * * *"),
        (0.5, None),
        (45, None),
        (90, None),
        (300, None),
        (2880, None),
    ],
)
def test_cron_has_only_what_divides_an_hour_or_a_day(minutes: float, schedule: str | None) -> None:
    assert cron_schedule(timedelta(minutes=minutes)) == schedule


def lines(text: str, start: str) -> list[str]:
    return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]


def test_both_run_the_same_command() -> None:
    command = ["/opt/my tools/rolecall", "probe", "openai/*"]
    text = timer_text(command, timedelta(hours=4))
    [by_systemd], [by_cron] = lines(text, "ExecStart="), lines(text, "0 */4 * * * ")
    assert shlex.split(by_systemd) == shlex.split(by_cron) == command
    assert lines(text, "OnUnitActiveSec=") == ["14400s"]


def test_an_interval_that_cron_lacks_is_left_to_systemd() -> None:
    text = timer_text(["rolecall", "probe"], timedelta(minutes=45))
    assert text.splitlines()[-1].startswith("# cron has no such interval")
    assert lines(text, "OnUnitActiveSec=") == ["2700s"]


def test_signs_that_systemd_and_cron_would_take_for_their_own_are_escaped() -> None:
    text = timer_text(["rolecall", "--registry", "/data/100%/$HOME.db"], timedelta(hours=1))
    assert lines(text, "ExecStart=") == ["rolecall --registry '/data/100%%/$$HOME.db'"]
    assert lines(text, "0 */1 * * * ") == [r"rolecall --registry '/data/100\%/$HOME.db'"]
