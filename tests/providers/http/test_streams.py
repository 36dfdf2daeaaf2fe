"""Records come out the same wherever the network cut the bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.http import streams as stream
from rolecall.registry.providers.http.streams import (
    DONE,
    JsonLines,
    Parser,
    ServerSentEvents,
    decode,
)

NEWLINES = ("\n", "\r\n", "\r")


def parse(parser: Parser, *pieces: bytes) -> list[Any]:
    found = [record for piece in pieces for record in parser.feed(piece)]
    return found + list(parser.end())


def events(*pieces: str | bytes) -> list[Any]:
    encoded = (piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    return parse(ServerSentEvents(), *encoded)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), documents, max_size=3).filter(
    lambda found: found.get("type") != "ping"
)
places = st.lists(st.integers(0, 10_000), max_size=12)


@settings(max_examples=25)
@given(st.lists(objects, max_size=5), places, st.sampled_from(NEWLINES), st.booleans())
def test_any_cut_of_the_bytes_gives_the_same_events(
    told: list[dict[str, Any]], where: list[int], newline: str, escaped: bool
) -> None:
    body = newline.join(
        f"event: x{newline}data: {json.dumps(one, ensure_ascii=escaped)}{newline}" for one in told
    )
    pieces = cut((body + newline).encode("utf-8", "surrogatepass"), where)
    if not escaped and any("\ud800" <= letter <= "\udfff" for letter in body):
        return
    assert parse(ServerSentEvents(), *pieces) == told


@settings(max_examples=25)
@given(st.lists(objects, max_size=5), places, st.sampled_from(NEWLINES))
def test_any_cut_of_the_bytes_gives_the_same_lines(
    told: list[dict[str, Any]], where: list[int], newline: str
) -> None:
    body = newline.join(json.dumps(one) for one in told).encode()
    assert parse(JsonLines(), *cut(body, where)) == told


@pytest.mark.parametrize("newline", NEWLINES)
def test_an_event_is_given_out_with_the_blank_line_that_ends_it(newline: str) -> None:
    parser = ServerSentEvents()
    assert list(parser.feed(f"data: 1{newline}".encode())) == []
    assert list(parser.feed(newline.encode())) == [1]


def test_a_crlf_cut_in_two_is_one_end_of_line() -> None:
    assert events("data: [1,\r", "\ndata: 2]\r", "\n\r", "\n") == [[1, 2]]


def test_data_needs_no_space_and_loses_only_one() -> None:
    assert events('data:"a"\n\n', 'data: "b"\n\n', 'data:  " c"\n\n') == ["a", "b", " c"]


def test_several_data_lines_are_one_document() -> None:
    assert events('data: {"a":\ndata:\ndata: 1}\n\n') == [{"a": 1}]


def test_comments_other_fields_and_empty_events_are_no_records() -> None:
    assert events(": ping\n\nid: 7\nretry: 10\nevent: x\n\ndata:\n\ndata\n\nevent: y\n\n") == []


def test_pings_are_no_records_whichever_way_they_say_so() -> None:
    assert events('event: ping\ndata: {"type": "ping"}\n\n') == []
    assert events('data: {"type": "ping"}\n\n') == []
    assert events("event: ping\ndata: {}\n\n") == []


def test_a_byte_order_mark_is_skipped() -> None:
    assert events(b"\xef\xbb", b"\xbfdata: 1\n\n") == [1]


def test_done_is_a_marker_of_its_own() -> None:
    assert events('data: "[DONE]"\n\ndata: [DONE]\n\n') == ["[DONE]", DONE]


def test_the_last_event_needs_no_blank_line() -> None:
    assert events("data: 1\n\ndata: 2") == [1, 2]
    assert events("data: 1\n\ndata: [DONE]\n") == [1, DONE]


def test_a_last_event_cut_in_the_middle_is_dropped() -> None:
    assert events('data: 1\n\ndata: {"a": ') == [1]
    assert events(b"data: 1\n\ndata: \xe2\x82") == [1]
    assert parse(JsonLines(), b'1\n{"a"') == [1]


def test_an_error_event_is_an_error_record_whatever_its_data() -> None:
    assert events("event: error\ndata: out of memory\n\n") == [{"error": "out of memory"}]
    assert events('event: error\ndata: {"message": "no"}\n\n') == [{"error": {"message": "no"}}]
    anthropic = {"type": "error", "error": {"type": "overloaded_error"}}
    assert events(f"event: error\ndata: {json.dumps(anthropic)}\n\n") == [anthropic]


def test_events_that_end_with_one_newline_are_told_apart() -> None:
    assert events('data: {"a": 1}\ndata: {"a": 2}\ndata: [DONE]\n') == [{"a": 1}, {"a": 2}, DONE]
    named = 'event: x\ndata: {"a": 1}\nevent: ping\ndata: {}\nevent: y\ndata: {"a": 2}\n'
    assert events(named) == [{"a": 1}, {"a": 2}]
    assert events('data: {"a": 1}\nevent: error\n\n') == [{"error": {"a": 1}}]


@pytest.mark.parametrize("newline", NEWLINES)
def test_lines_of_json_need_no_data_before_them(newline: str) -> None:
    assert events(newline.join(('{"a": 1}', '{"a": 2}', "data: [DONE]"))) == [
        {"a": 1},
        {"a": 2},
        DONE,
    ]


def test_a_document_may_be_written_over_several_lines() -> None:
    told = {"a": {"b": [1, {"c": 2}]}}
    indented = json.dumps(told, indent=2)
    assert parse(JsonLines(), indented.encode()) == [told]
    assert parse(JsonLines(), f"{indented}\n{indented}\n1\n".encode()) == [told, told, 1]
    assert parse(JsonLines(), indented[:-1].encode()) == []


def test_the_name_of_an_event_does_not_outlive_it() -> None:
    assert events('event: error\n\ndata: {"a": 1}\n\n') == [{"a": 1}]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"data: {oops}\n\n", "not JSON: {oops}"),
        (b'data: "\xff\xfe"\n\n', "not UTF-8"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "not JSON"),
    ],
)
def test_a_garbled_record_is_an_invalid_response(data: bytes, said: str) -> None:
    with pytest.raises(CallFailed, match=said) as caught:
        list(ServerSentEvents().feed(data))
    assert caught.value.error_type == "invalid_response"


def test_a_garbled_line_is_an_invalid_response() -> None:
    with pytest.raises(CallFailed, match="not JSON: <html>"):
        list(JsonLines().feed(b"<html>\n"))


@pytest.mark.parametrize("make", [ServerSentEvents, JsonLines])
@pytest.mark.parametrize("piece", [b"x" * 40, b"data: " + b"x" * 40 + b"\n"])
def test_a_record_without_end_is_given_up(
    make: Callable[[], Parser], piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_RECORD_BYTES", 100)
    with pytest.raises(CallFailed) as caught:
        parse(make(), *[piece] * 4)
    assert caught.value.error_type == "invalid_response"


def test_a_number_of_countless_digits_loses_no_answer() -> None:
    record = decode(b'{"text":"kept","tokens":' + b"9" * 5_000 + b"}")
    assert record == {"text": "kept", "tokens": float("inf")}
