"""What a person at a terminal sees: the answer as it comes, and a fresh line where it broke off."""

from __future__ import annotations

import re

from tests.calls.processes import running
from tests.calls.serving import Serving
from tests.faults.plan import DEFAULT_TEXT, Plan

BROKEN = Plan(text="Half of this is lost.", fault="cut", at="middle")


def test_the_second_answer_starts_on_a_fresh_line_and_stderr_says_so(serving: Serving) -> None:
    first, second = serving.first_and_second(BROKEN)
    with running("ask", "hello", terminal="out") as command:
        code, screen, err = command.end()
    assert (code, screen) == (0, f"Half of this\r\n{DEFAULT_TEXT}\r\n")
    cost, broke_off, summary = sorted(err.splitlines(), key=lambda line: "·" in line)
    told = {cost, broke_off}
    assert any(line.startswith(f"note: {first} broke off: ") for line in told)
    assert any(line.startswith(f"note: {second} is more expensive than {first}: ") for line in told)
    assert f"{second} · after {first} stream_cut · " in summary


def test_nothing_was_shown_so_the_second_answers_in_silence(serving: Serving) -> None:
    first, _ = serving.first_and_second(Plan(fault="cut"))
    with running("ask", "hello", terminal="out") as command:
        code, screen, err = command.end()
    assert (code, screen) == (0, f"{DEFAULT_TEXT}\r\n")
    assert "broke off" not in err
    assert f"after {first} stream_cut" in err


def test_the_answer_is_shown_as_it_comes(serving: Serving) -> None:
    serving.one()
    serving.server.plan("m", Plan(text="one two three four", fault="stall", at="middle"))
    with running("ask", "hello", "--idle-timeout", "0.4", terminal="out") as command:
        command.wait_for(lambda: b"one two" in command.screen)
        code, screen, err = command.end()
    assert (code, screen) == (4, "one two\r\n")
    assert "note: openai/m broke off: the answer stood still for 0.4 s\n" in err


def test_what_could_steer_the_terminal_is_taken_out_of_the_answer(serving: Serving) -> None:
    serving.one()
    serving.server.plan("m", Plan(text="red \x1b[31malert\x07 and \x9b2J done\tnow"))
    with running("ask", "hello", terminal="out") as command:
        code, screen, _ = command.end()
    assert (code, screen) == (0, "red [31malert and 2J done\tnow\r\n")


def test_a_spinner_says_who_is_asked_and_is_gone_when_the_answer_comes(serving: Serving) -> None:
    serving.one()
    serving.server.plan("m", Plan(first_delay_s=0.4))
    with running("ask", "hello", terminal="out err") as command:
        command.wait_for(lambda: b"asking openai/m" in command.screen)
        code, screen, _ = command.end()
    assert code == 0
    spun, _, after = screen.rpartition("asking openai/m")
    assert spun
    visible = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", after)
    assert DEFAULT_TEXT in visible
    assert re.search(r"openai/m · [\d.]+ s \(first [\d.]+ s\) · 12 in, 8 out · ", visible)


def test_a_whole_answer_in_a_pipe_comes_without_a_spinner(serving: Serving) -> None:
    serving.one()
    with running("ask", "hello") as command:
        code, out, err = command.end()
    assert (code, out) == (0, f"{DEFAULT_TEXT}\n")
    assert "\x1b" not in err
    assert "asking" not in err


def test_no_colour_is_written_where_nobody_wants_it(serving: Serving) -> None:
    serving.one()
    for wish, is_dim in (("1", False), ("", True)):
        with running("ask", "hello", terminal="err", NO_COLOR=wish) as command:
            code, screen, _ = command.end()
        assert code == 0
        assert ("\x1b[2mopenai/m · " in screen) == is_dim
