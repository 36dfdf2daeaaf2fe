from __future__ import annotations

from rolecall.registry.scorer.text import CONTEXT_CHARS, clip, compose, instruction_within


def test_a_request_stands_before_its_context_which_is_cut() -> None:
    assert compose("why?", "") == compose("why?", " \n") == "why?"
    assert compose("why?", "You are a tutor.") == "why?\n\nYou are a tutor."
    assert compose("why?", "x" * 9000) == "why?\n\n" + "x" * CONTEXT_CHARS


def test_a_long_text_is_clipped_to_its_beginning_and_its_end() -> None:
    assert clip("short") == "short"
    assert clip("abcdef", 2, 2) == "ab\nef"


def test_the_line_that_asks_is_found_between_pasted_lines() -> None:
    log = "worker 3 finished job in 12 ms\n" * 50
    for asked in (
        "Summarise the errors in this log",
        "为什么会死锁？",
        "Fasse das bitte kurz zusammen",
    ):
        text = f"{log}{asked}\n{log}"
        assert instruction_within(text, 100, len(text) - 100) == asked
    assert instruction_within(log, 0, len(log)) == ""


def test_only_the_middle_is_searched() -> None:
    assert instruction_within("Why?\n" + "log line\n" * 9, 5, 60) == ""
