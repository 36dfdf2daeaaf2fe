"""A chat's turns as Gemini's system instruction and contents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rolecall.registry.core.chat import Media, Part, Text, ToolCall, ToolResult, Turn
from rolecall.registry.core.json_text import decode_shallow
from rolecall.registry.core.media_types import USUAL_TYPES
from rolecall.registry.providers.gemini.thinking import FOREIGN_SIGNATURE
from rolecall.registry.providers.generations import Generation
from rolecall.registry.providers.tool_call_ids import CallIds, arguments_of

Piece = dict[str, Any]


def instruction_of(turns: Sequence[Turn]) -> dict[str, Any] | None:
    """Return all system turns as one instruction, in their order; null where there are none."""
    pieces = [
        {"text": part.text}
        for turn in turns
        if turn.role == "system"
        for part in turn.parts
        if isinstance(part, Text) and part.text
    ]
    return {"parts": pieces} if pieces else None


def contents_of(turns: Sequence[Turn], gemini: Generation | None) -> list[dict[str, Any]]:
    """Return the contents, user and model in turn; thinking is not given back.

    A model that signs its calls refuses a history in which the first call of a step has no
    signature, so calls made by others get the one documented for that.
    """
    writer = _Writer(gemini)
    contents: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "system":
            continue
        pieces = list(writer.pieces(turn))
        role = "model" if turn.role == "assistant" else "user"
        if not pieces:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += pieces
        else:
            contents.append({"role": role, "parts": pieces})
    return contents


class _Writer:
    """Writes turn by turn, and remembers which call each result answers."""

    def __init__(self, gemini: Generation | None) -> None:
        self._ids = CallIds()
        self._signs = gemini is not None and gemini.has("signs_calls")

    def pieces(self, turn: Turn) -> Iterator[Piece]:
        """Yield what a turn holds; what tools have shown comes after all their results."""
        needs_signature = self._signs
        shown: list[Piece] = []
        for part in turn.parts:
            if isinstance(part, ToolCall):
                piece = self._call(part, needs_signature)
                needs_signature = False
                yield piece
            elif isinstance(part, ToolResult):
                yield self._result(part, shown)
            else:
                yield from _plain(part)
        yield from shown

    def _call(self, part: ToolCall, needs_signature: bool) -> Piece:
        said = {"id": self._ids.of_call(part), "name": part.name, "args": arguments_of(part)}
        signature = part.signature or (FOREIGN_SIGNATURE if needs_signature else None)
        piece: Piece = {"functionCall": said}
        return piece if signature is None else piece | {"thoughtSignature": signature}

    def _result(self, part: ToolResult, shown: list[Piece]) -> Piece:
        said: Piece = {
            "id": self._ids.of_result(part),
            "name": self._ids.name_of(part) or "unknown",
            "response": _response(part),
        }
        media = [
            piece for inner in part.content if isinstance(inner, Media) for piece in _plain(inner)
        ]
        if media and self._signs:
            said["parts"] = media
        else:
            shown += media  # older ones see nothing within a result
        return {"functionResponse": said}


def _plain(part: Part) -> Iterator[Piece]:
    """Yield a text or an attachment; thinking is not given back."""
    if isinstance(part, Text) and part.text:
        yield {"text": part.text}
    elif isinstance(part, Media):
        mime_type = part.mime_type or USUAL_TYPES[part.modality]
        if part.data is not None:
            yield {"inlineData": {"mimeType": mime_type, "data": part.data}}
        elif part.url is not None:
            yield {"fileData": {"mimeType": mime_type, "fileUri": part.url}}


def _response(part: ToolResult) -> Mapping[str, Any]:
    """Return a result as the object the API wants."""
    text = "\n".join(inner.text for inner in part.content if isinstance(inner, Text))
    if part.is_error:
        return {"error": text}
    try:
        value = decode_shallow(text)
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"result": text}
