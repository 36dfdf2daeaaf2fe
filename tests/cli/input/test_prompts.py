"""What the shell hands over becomes one request, or one clear line."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.cli.input.prompts import Given, read_jsonl, read_request
from rolecall.registry.chat.parse import request_of
from rolecall.registry.core.chat import Media, Text, Tool, Turn
from rolecall.registry.core.errors import InvalidPrompt, RegistryError, UsageError

Redirect = Callable[[bytes | str], None]


@pytest.fixture(autouse=True)
def stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redirect]:
    """Put a device on stdin, and return a function that redirects a file with some text to it."""

    def redirect(content: bytes | str) -> None:
        path = tmp_path / "piped"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        monkeypatch.setattr(sys, "stdin", path.open())

    with Path(os.devnull).open() as device:
        monkeypatch.setattr(sys, "stdin", device)
        yield redirect


def text_of(given: Given) -> str:
    return request_of(read_request(given)).messages[-1].text


def refusal(given: Given) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        read_request(given)
    return caught.value


def test_an_argument_alone_is_the_prompt() -> None:
    assert read_request(Given("why?")).turns == (Turn("user", (Text("why?"),)),)


def test_a_redirected_file_is_the_prompt(stdin: Redirect) -> None:
    stdin("a trace\n")
    assert text_of(Given()) == "a trace"


def test_the_pipe_comes_first_then_the_file_then_texts_then_the_argument(
    stdin: Redirect, tmp_path: Path
) -> None:
    stdin("piped\n")
    (tmp_path / "f.txt").write_text("from a file\n")
    (tmp_path / "a.md").write_text("attached\n")
    given = Given("the question", file=tmp_path / "f.txt", attach=(tmp_path / "a.md",))
    assert text_of(given) == "piped\n\nfrom a file\n\nattached\n\nthe question"


def test_an_empty_pipe_beside_an_argument_adds_nothing(stdin: Redirect) -> None:
    stdin("")
    assert text_of(Given("why?")) == "why?"


def test_indentation_survives(stdin: Redirect) -> None:
    stdin("\n    def f():\n        pass\n")
    assert text_of(Given("review")) == "    def f():\n        pass\n\nreview"


def test_a_byte_order_mark_is_dropped(stdin: Redirect) -> None:
    stdin(b"\xef\xbb\xbfhello")
    assert text_of(Given()) == "hello"


def test_a_dash_reads_stdin_even_from_a_device() -> None:
    assert refusal(Given("-")).message == "the prompt is empty"


@pytest.mark.parametrize("content", ["", " \n\t\n"])
def test_an_empty_stdin_is_refused(stdin: Redirect, content: str) -> None:
    stdin(content)
    error = refusal(Given())
    assert isinstance(error, InvalidPrompt)
    assert error.message == "the prompt is empty"
    assert error.hint == 'rolecall route "why does this deadlock?"'


def test_nothing_at_all_is_a_usage_error_with_an_example() -> None:
    error = refusal(Given())
    assert type(error) is UsageError
    assert (error.message, error.exit_code) == ("there is no prompt", 2)
    assert error.hint == 'rolecall route "why does this deadlock?"'


def test_nul_bytes_are_named_with_their_place(stdin: Redirect) -> None:
    stdin(b"abc\0def")
    assert refusal(Given()).message == "stdin is binary, not text: NUL at byte 3"


def test_bytes_that_are_not_utf8_are_named_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"caf\xe9")
    assert refusal(Given(file=path)).message == f"{path} is not UTF-8 text: 0xe9 at byte 3"


def test_an_argument_that_is_not_utf8_is_refused() -> None:
    assert refusal(Given("caf\udce9")).message == "the argument is not UTF-8: see character 4"


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.txt"
    assert refusal(Given(file=missing)).message == (
        f"cannot read {missing}: no such file or directory"
    )
    assert refusal(Given("x", attach=(missing,))).message.startswith(f"cannot read {missing}")
    assert refusal(Given(file=tmp_path)).message == f"cannot read {tmp_path}: is a directory"


def test_stdin_cannot_be_asked_for_twice() -> None:
    error = refusal(Given("-", file=Path("-")))
    assert error.message == "stdin was asked for twice"


def test_a_closed_stdin_is_no_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(Given()).message == "there is no prompt"
    assert refusal(Given("-")).message == "stdin is closed"


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("photo.JPG", b"\xff\xd8\xff\0", "image/jpeg"),
        ("scan.pdf", b"%PDF-1.7\0", "application/pdf"),
        ("unnamed", b"%PDF-1.7\0", "application/pdf"),
        ("picture", b"\x89PNG\r\n\x1a\n\0", "image/png"),
        ("photo.jpg", b"\x89PNG\r\n\x1a\n\0", "image/png"),
        ("sound", b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        ("picture", b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        ("talk.mp3", b"ID3\0", "audio/mpeg"),
        ("film.mp4", b"\0\0", "video/mp4"),
    ],
)
def test_attachments_are_kept_as_what_they_are(
    tmp_path: Path, name: str, content: bytes, mime_type: str
) -> None:
    (tmp_path / name).write_bytes(content)
    [turn] = read_request(Given("look", attach=(tmp_path / name,))).turns
    media, text = turn.parts
    assert text == Text("look")
    assert isinstance(media, Media)
    assert (media.mime_type, media.name, media.url) == (mime_type, name, None)
    assert media.modality == mime_type.partition("/")[0].replace("application", "pdf")
    assert base64.b64decode(media.data or "") == content


def test_an_image_alone_is_a_prompt(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    chat = read_request(Given(attach=(tmp_path / "a.png",)))
    assert request_of(chat).messages[0].attachments == ("image",)


def test_an_attachment_may_come_through_stdin(stdin: Redirect) -> None:
    stdin(b"%PDF-1.7\n\0")
    [turn] = read_request(Given("read", attach=(Path("-"),))).turns
    data = base64.b64encode(b"%PDF-1.7\n\0").decode()
    assert turn.parts == (Media("pdf", "application/pdf", data), Text("read"))


def test_an_unknown_binary_attachment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x7fELF\0")
    message = refusal(Given("x", attach=(path,))).message
    assert message == f"{path} is neither an image, a PDF, audio, video nor text"


def test_a_system_prompt_comes_first() -> None:
    assert read_request(Given("hi", system="be brief")).turns == (
        Turn("system", (Text("be brief"),)),
        Turn("user", (Text("hi"),)),
    )


def test_a_system_prompt_alone_is_no_prompt() -> None:
    assert refusal(Given(system="be brief")).message == "there is no prompt"


def test_a_chat_file_is_the_request_and_an_argument_its_next_turn(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"role": "user", "content": "hi"}]))
    assert read_request(Given("and then?", messages=path, system="be brief")).turns == (
        Turn("system", (Text("be brief"),)),
        Turn("user", (Text("hi"),)),
        Turn("user", (Text("and then?"),)),
    )


def test_a_chat_may_come_through_stdin(stdin: Redirect) -> None:
    stdin('{"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}')
    chat = read_request(Given(messages=Path("-")))
    assert (chat.turns[0].parts, chat.max_tokens) == ((Text("hi"),), 9)


@pytest.fixture
def beside(tmp_path: Path) -> Given:
    """Write a chat, and what the command line says beside it."""
    chat = {
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "old"}],
        "response_format": {"type": "json_object"},
        "temperature": 1,
        "seed": 3,
    }
    texts = {"chat": chat, "schema": {"type": "array"}, "tools": [{"name": "new"}]}
    paths = {name: tmp_path / f"{name}.json" for name in texts}
    for name, path in paths.items():
        path.write_text(json.dumps(texts[name]))
    return Given(
        messages=paths["chat"],
        schema=paths["schema"],
        tools=paths["tools"],
        options=(("temperature", "0"),),
    )


def test_what_is_given_beside_a_chat_wins(beside: Given) -> None:
    chat = read_request(beside)
    assert (chat.schema, chat.tools) == ({"type": "array"}, (Tool("new"),))
    assert chat.options == {"temperature": 0, "seed": 3}


def test_what_is_given_beside_rows_wins_over_each(beside: Given, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('"one"\n{"prompt": "two", "temperature": 1, "seed": 3}\n')
    rows = [chat for _, chat, _ in read_jsonl(replace(beside, file=path))]
    assert [chat.options for chat in rows] == [{"temperature": 0}, {"temperature": 0, "seed": 3}]
    assert [chat.tools for chat in rows] == [(Tool("new"),)] * 2
    assert [chat.schema for chat in rows] == [{"type": "array"}] * 2


def test_a_schema_may_come_through_stdin_but_then_nothing_else(stdin: Redirect) -> None:
    stdin('{"type": "array"}')
    assert read_request(Given("list", schema=Path("-"))).schema == {"type": "array"}
    again = Given("list", schema=Path("-"), tools=Path("-"))
    assert refusal(again).message == "stdin was asked for twice"
    with pytest.raises(UsageError, match=r"^stdin was asked for twice$"):
        next(read_jsonl(Given(schema=Path("-"))))


def test_a_schema_that_is_none_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text("[]")
    message = f"{path}: expected a JSON schema, found a list"
    assert refusal(Given("list", schema=path)).message == message


def test_broken_json_is_named_by_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text('[\n  {"role": }\n]')
    assert refusal(Given(messages=path)).message == f"{path}:2:12: not JSON: expecting value"


def test_an_empty_chat_file_is_an_empty_prompt(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text("")
    assert refusal(Given(messages=path)).message == f"{path}: the prompt is empty"


def test_rows_are_read_in_order_and_blank_lines_skipped(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('\ufeff"bare"\n\n{"prompt": "two", "id": 7}\n')
    rows = list(read_jsonl(Given(file=path)))
    assert [(number, chat.turns[0].parts, custom_id) for number, chat, custom_id in rows] == [
        (1, (Text("bare"),), None),
        (3, (Text("two"),), "7"),
    ]


def test_a_bad_row_is_named_after_the_good_ones_before_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('"good"\n{"prompt": 1}\n{]\n')
    rows = read_jsonl(Given(file=path))
    assert next(rows)[0] == 1
    with pytest.raises(InvalidPrompt, match=f"^{path}:2: prompt: expected a string$"):
        next(rows)


READ_ROWS = """
import sys
from rolecall.cli.input.prompts import Given, read_jsonl
for number, chat, _ in read_jsonl(Given()):
    print(number, chat.turns[0].parts[0].text, flush=True)
"""


def test_rows_are_yielded_as_they_arrive() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", READ_ROWS], stdin=pipe, stdout=pipe, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        for number, word in enumerate(["one", "two"], start=1):
            reader.stdin.write(f'"{word}"\n')
            reader.stdin.flush()
            assert reader.stdout.readline() == f"{number} {word}\n"


def test_the_names_of_the_text_files_go_along_with_the_request(tmp_path: Path) -> None:
    code, notes, image = tmp_path / "a.py", tmp_path / "b.md", tmp_path / "c.png"
    code.write_text("x = 1")
    notes.write_text("hello")
    image.write_bytes(b"\x89PNG\r\n\x1a\n")
    chat = read_request(Given("why?", file=code, attach=(image, notes)))
    assert request_of(chat).files == (str(code), str(notes))
    assert request_of(read_request(Given("why?"))).files == ()
