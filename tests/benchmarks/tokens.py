"""What inputs cost in tokens at worst, beside the bound that limits are held to and a plain one.

Texts are counted by the public tokenizers that are installed; attachments by what the providers
document, worked out here by hand. The plain bound is four bytes a token (3,000 a PDF, 1,200 an
image, 1,500 a sound) and 30 % on top.
"""

from __future__ import annotations

import base64
import json
import math
from typing import NamedTuple

from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.core.requests import Request
from rolecall.registry.routing.rules.media_tokens import FAMILIES
from rolecall.registry.routing.rules.token_estimate import estimate_tokens, most_tokens
from tests.chat import media_files as files
from tests.core.public_tokenizers import Count, claude_tokenizers, public_tokenizers
from tests.core.sample_texts import sample_texts

_PLAIN = {"image": 1_200, "pdf": 3_000, "audio": 1_500, "video": 3_000}


class Row(NamedTuple):
    """One kind of input: what it really costs, elsewhere and at Claude, and how it is bounded."""

    kind: str
    request: Request
    real: int
    real_of_claude: int | None


def report() -> None:
    """Print a row for each kind of input; a bound under the real count is marked."""
    print("input tokens: real (the worst), bounds as multiples of it; < marks one that is too low")
    print(
        f"{'kind of input':30} {'real':>9} {'plain':>7} {'bound':>6} {'expected':>9}"
        f" {'Claude':>9} {'plain':>7} {'bound':>6}"
    )
    for row in [*_texts(), *_tools(), *_attachments()]:
        of_others, of_claude = _bounds(row.request)
        print(
            f"{row.kind:30} {row.real:>9,} {_ratio(_plain(row.request), row.real):>7}"
            f" {_ratio(of_others, row.real):>6} {estimate_tokens(row.request) / row.real:>9.2f}"
            + _claude_columns(row, of_claude)
        )


def _claude_columns(row: Row, bound: int | None) -> str:
    real = row.real_of_claude
    if real is None:
        return ""
    return f" {real:>9,} {_ratio(_plain(row.request), real):>7} {_ratio(bound, real):>6}"


def _bounds(request: Request) -> tuple[int | None, int | None]:
    most = dict(zip(FAMILIES, most_tokens(request), strict=True))
    return most["other"], most["claude"]


def _plain(request: Request) -> int:
    size = len((request.tools_text + request.schema_text).encode())
    size += sum(len(message.text.encode()) for message in request.messages)
    kinds = [kind for message in request.messages for kind in message.attachments]
    tokens = 4 * len(request.messages) + sum(_PLAIN[kind] for kind in kinds) + -(-size // 4)
    return math.ceil(1.3 * tokens)


def _ratio(bound: int | None, real: int) -> str:
    if bound is None:
        return "none"
    return f"{'<' if bound < real else ''}{bound / real:.2f}"


def _worst(text: str, counts: dict[str, Count]) -> int | None:
    return max((count(text) for count in counts.values()), default=None)


def _texts() -> list[Row]:
    return [
        Row(
            kind,
            request_of(parse_chat({"prompt": f"{text} ."}, name="x")),
            _worst(f"{text} .", public_tokenizers()) or 0,
            _worst(f"{text} .", claude_tokenizers()),
        )
        for kind, text in sample_texts().items()
    ]


def _tools() -> list[Row]:
    properties = {
        f"field_{n}": {
            "type": "string",
            "description": f"Beschreibung des Feldes {n}, größer als 0",
        }
        for n in range(12)
    }
    tools = [
        {"type": "function", "function": {"name": f"tool_{n}", "parameters": {"type": "object"}}}
        | {"description": "Searches the ledger for entries between two dates."}
        for n in range(20)
    ]
    for tool in tools:
        tool["function"]["parameters"]["properties"] = properties  # type: ignore[index]
    asked = request_of(parse_chat({"prompt": "Find it.", "tools": tools}, name="x"))
    real = _worst(asked.tools_text, public_tokenizers()) or 0
    claude = _worst(asked.tools_text, claude_tokenizers())
    # Claude is told some 350 tokens more where it has tools.
    return [Row("20 tools", asked, real, None if claude is None else claude + 350)]


def _attachments() -> list[Row]:
    page = "\n".join(f"1. {files.WORDS}" for _ in range(45))
    text = _worst(page, public_tokenizers()) or 0
    of_claude = _worst(page, claude_tokenizers())

    def pdf(pages: int) -> Row:
        # OpenAI: the text and an image, 1,105 tokens of 768 x 1,086 pixels. Claude: 1,600 an image.
        claude = None if of_claude is None else pages * (of_claude + 1_600)
        request = _with("document", files.pdf(pages), "application/pdf")
        return Row(
            f"PDF of {pages} page{'s'[: pages > 1]}", request, pages * (text + 1_105), claude
        )

    def image(width: int, height: int, real: int, claude: int) -> Row:
        request = _with("image", files.png(width, height), "image/png")
        return Row(f"image of {width:,} x {height:,}", request, real, claude)

    return [
        *(pdf(1), pdf(20), pdf(200)),
        # By patches of 32 pixels at 1.2 tokens (OpenAI), or of 28 (Qwen); of 28 (Claude).
        image(200, 200, 64, 64),
        image(1_024, 1_024, 1_369, 1_369),
        image(3_000, 3_000, 11_664, 4_784),
        Row("image behind a URL", _by_url(), 16_384, 4_784),
        Row("1 minute of sound", _sound(files.wav(60)), 1_920, None),
        Row("1 hour of sound", _sound(files.mp3(3_600)), 115_200, None),
    ]


def _with(kind: str, data: bytes, media_type: str) -> Request:
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    return _asked({"type": kind, "source": source})


def _by_url() -> Request:
    return _asked({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}})


def _sound(data: bytes) -> Request:
    held = {"data": base64.b64encode(data).decode(), "format": "wav"}
    return _asked({"type": "input_audio", "input_audio": held})


def _asked(part: dict[str, object]) -> Request:
    message = {"role": "user", "content": [part, {"type": "text", "text": "Summarise."}]}
    return request_of(parse_chat(json.loads(json.dumps([message])), name="x"))


if __name__ == "__main__":
    report()
