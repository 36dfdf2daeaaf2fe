"""The frozen records of one chat request in full, and of the stream that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rolecall.registry.core.parameters import HINTS, is_neutral

Extra = Mapping[str, Any]
TurnRole = Literal["system", "user", "assistant", "tool"]
# An answer that the request itself begins: its last message is the assistant's.
PREFILL = "prefill (a last message of the assistant's)"
# How tools are called, which says nothing where none are attached.
NEED_TOOLS = frozenset({"tool_choice", "parallel_tool_calls"})


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text.

    `extra` is what only some APIs have a place for, here as in the other records:
    `cache_control`, `citations`, an image's `detail`, a tool's `strict`.
    """

    text: str
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An attachment: inline as base64 `data` with its `mime_type`, or by `url`.

    `modality` is `image`, `pdf`, `audio` or `video`.
    """

    modality: str
    mime_type: str | None = None
    data: str | None = None
    url: str | None = None
    name: str | None = None
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a model thought before it spoke.

    `origin` says in which form an API gave it, and thus which API may be given it back:
    `anthropic`, `gemini`, `ollama`, or the field of an OpenAI-like message (`reasoning_content`,
    `reasoning`). `signature` and `redacted` are Anthropic's.
    """

    text: str
    origin: str
    signature: str | None = None
    redacted: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asks to be run; `arguments` is JSON text.

    `signature` is Gemini's thought signature, to be given back with the call.
    """

    id: str
    name: str
    arguments: str
    signature: str | None = None
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What running a tool gave, in answer to the call of that id."""

    call_id: str
    content: tuple[Text | Media, ...]
    name: str | None = None
    is_error: bool = False
    extra: Extra | None = None


Part = Text | Media | Thinking | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; a `tool` turn holds tool results only. `name` is its participant's."""

    role: TurnRole
    parts: tuple[Part, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer; `parameters` is a JSON schema.

    `native` is the whole definition of a tool that the provider itself runs, else null.
    """

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    native: Mapping[str, Any] | None = None
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request in full, in no API's own shape.

    `schema` is the JSON schema that the answer must match; an empty one means any JSON object.
    `options` holds the other request parameters under OpenAI's names, with these values in one
    form: `stop` a list of strings; `tool_choice` `auto`, `none`, `required` or `{"name": …}`;
    `reasoning_effort` a word (`none`: no thinking); `thinking_budget` tokens, above 0.
    `max_tokens` limits the output, thinking included. `files` names the text files that the last
    turn was read from; it is not sent. `notes` say what of the request as given is not in it.
    """

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    options: Mapping[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def cache_ttl(self) -> str | None:
        """How long the input is asked to be kept in a cache: `5m` or `1h`; null where it is not."""
        parts = [part for turn in self.turns for part in turn.parts]
        parts += [inner for one in parts if isinstance(one, ToolResult) for inner in one.content]
        extras = [getattr(one, "extra", None) for one in (*parts, *self.tools)]
        marks = [one["cache_control"] for one in extras if one and "cache_control" in one]
        if "cache_control" in self.options:
            marks.append(self.options["cache_control"])
        if not marks:
            return None
        return (
            "1h" if any(isinstance(one, dict) and one.get("ttl") == "1h" for one in marks) else "5m"
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the request parameters that an endpoint must take, sorted.

        Hints, neutral values and, without tools, how to call them are none. `response_format`
        stands for any JSON object, `provider_tools` for tools that the provider itself runs.
        """
        names = {
            name
            for name, value in self.options.items()
            if name not in HINTS and not is_neutral(name, value)
        }
        if not self.tools:
            names -= NEED_TOOLS
        if self.schema is not None and not self.schema:
            names.add("response_format")
        if any(tool.native is not None for tool in self.tools):
            names.add("provider_tools")
        return tuple(sorted(names))

    @property
    def prefill(self) -> Turn | None:
        """The answer that the request itself begins, if it does."""
        last = next((turn for turn in reversed(self.turns) if turn.parts), None)
        if last is None or last.role != "assistant":
            return None
        end = last.parts[-1]
        return last if isinstance(end, Text) and end.text.strip() else None

    @property
    def media(self) -> tuple[Media, ...]:
        """All attachments, those that tools gave included."""
        parts = [part for turn in self.turns for part in turn.parts]
        inner = [one for part in parts if isinstance(part, ToolResult) for one in part.content]
        return tuple(part for part in (*parts, *inner) if isinstance(part, Media))

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities of all attachments, sorted."""
        return tuple(sorted({media.modality for media in self.media}))

    @property
    def forms(self) -> tuple[str, ...]:
        """What an API may refuse though it takes the modalities and parameters, sorted.

        These are the media type of each image and sound given inline, `pdf by URL` and
        `pdf by file id` (so for each modality), `tool of type T` for one that a provider runs,
        and `PREFILL`.
        """
        found = {_form(media) for media in self.media}
        kinds = {
            tool.native["type"] for tool in self.tools if tool.native and "type" in tool.native
        }
        found |= {f"tool of type {kind}" for kind in kinds}
        if self.prefill is not None:
            found.add(PREFILL)
        return tuple(sorted(form for form in found if form is not None))


def _form(media: Media) -> str | None:
    """Return how an attachment is given; null where that says nothing of it."""
    if media.data is not None:
        return media.mime_type if media.modality in ("image", "audio") else None
    if media.url is not None:
        return f"{media.modality} by URL"
    is_kept = media.extra is not None and "file_id" in media.extra
    return f"{media.modality} by file id" if is_kept else None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as billed; null where the provider did not say.

    `input_tokens` includes cached ones and audio, `output_tokens` includes reasoning and audio.
    `audio_input_tokens` leaves cached audio out. What was written to a cache for an hour is part of
    `cache_write_input_tokens`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    cache_write_1h_input_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, or what had come of one when the call failed.

    `finish_reason` is in OpenAI's words (`stop`, `length`, `tool_calls`, `content_filter`) where
    it has one, else as the provider said it, as all `finish_reasons` are. `load_duration_s` is
    the time a local server took to load the model first, `cost_usd` what the server says that the
    call cost. `notes` are what a person should know of how the answer was read.
    """

    parts: tuple[Text | Thinking | ToolCall, ...] = ()
    finish_reason: str | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Usage | None = None
    response_id: str | None = None
    response_model: str | None = None
    load_duration_s: float | None = None
    notes: tuple[str, ...] = ()
    cost_usd: float | None = None

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model asks to be run."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More of what the model thinks."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of a tool call: its name, or a piece of its arguments."""

    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The last event of a stream that reached its finish marker."""

    answer: Answer


Event = TextDelta | ThinkingDelta | ToolCallDelta | Completed


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a call may wait, in seconds.

    `connect_s` for the connection and again for its encryption, `first_token_s` from sending
    until something of the answer comes, `idle_s` between two pieces of it.
    """

    connect_s: float = 10.0
    first_token_s: float = 120.0
    idle_s: float = 60.0
