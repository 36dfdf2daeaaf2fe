from dataclasses import replace

from rolecall.registry.core.requests import Message, Request, Task
from rolecall.registry.routing.rules.token_estimate import context_needed, estimate_tokens


def request(*texts: str, attachments: tuple[str, ...] = ()) -> Request:
    return Request(tuple(Message("user", text, attachments) for text in texts))


def task(input_tokens: int, *, declared: bool, max_tokens: int | None) -> Task:
    return Task(
        "general",
        "detected",
        1.0,
        "",
        input_tokens=input_tokens,
        input_tokens_declared=declared,
        max_tokens=max_tokens,
    )


def test_four_bytes_are_a_token_rounded_up_and_a_message_costs_four() -> None:
    assert estimate_tokens(request("12345678")) == 2 + 4
    assert estimate_tokens(request("123456789")) == 3 + 4
    assert estimate_tokens(request("1234", "1234")) == 2 + 8


def test_text_is_counted_in_utf8_bytes() -> None:
    assert estimate_tokens(request("日本語字")) == 3 + 4


def test_a_lone_surrogate_is_counted_and_not_refused() -> None:
    assert estimate_tokens(request("\ud800")) == 1 + 4


def test_attachments_count_by_kind_and_an_unknown_kind_like_the_largest() -> None:
    empty = estimate_tokens(request(""))
    sizes = {"image": 1_200, "pdf": 3_000, "audio": 1_500, "video": 3_000}
    for kind, size in sizes.items():
        assert estimate_tokens(request("", attachments=(kind,))) == empty + size


def test_tools_and_schema_count_as_text() -> None:
    plain = request("1234")
    assert estimate_tokens(replace(plain, tools_chars=40, schema_chars=20)) == 16 + 4


def test_an_estimate_gets_a_margin_and_a_declared_count_does_not() -> None:
    assert context_needed(task(1_000, declared=False, max_tokens=500)) == 1_800
    assert context_needed(task(1_000, declared=True, max_tokens=500)) == 1_500


def test_an_answer_gets_1024_tokens_of_room_unless_the_caller_says_more_or_less() -> None:
    assert context_needed(task(0, declared=True, max_tokens=None)) == 1_024
    assert context_needed(task(0, declared=True, max_tokens=0)) == 0
