"""A chat request in OpenAI's or Anthropic's shape, or a row of a batch: in full, and in brief."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.chat.answer_form import schema_of
from rolecall.registry.chat.attachments import plain_image
from rolecall.registry.chat.content import content_parts
from rolecall.registry.chat.fields import flattened, sifted
from rolecall.registry.chat.media_sizes import media_size
from rolecall.registry.chat.messages import message_turns
from rolecall.registry.chat.parameters import max_tokens_of, options_of
from rolecall.registry.chat.response_items import is_item, joined
from rolecall.registry.chat.tools import linked, tool_text, tools_of
from rolecall.registry.chat.unread import unread
from rolecall.registry.core.chat import (
    Chat,
    Media,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import compact, decode_json, kind_of
from rolecall.registry.core.requests import Message, Request

TOO_DEEP = "the JSON is nested too deeply"


def parse_chat(document: Any, *, name: str, allow_pass: bool = False) -> Chat:
    """Return the request that a decoded chat document is.

    `document` is a list of messages or an object with `messages`, or with `prompt`: then it is a
    row of data, whose other fields may be labels. `name` starts every error message. With
    `allow_pass`, parameters that are not known or choose who serves the request are kept.
    Raises InvalidPrompt.
    """
    is_row = isinstance(document, dict) and "messages" not in document
    return _parsed(document, name, is_row=is_row, allow_pass=allow_pass)


def _parsed(document: Any, name: str, *, is_row: bool, allow_pass: bool) -> Chat:
    given: Mapping[str, Any] = {"messages": document} if isinstance(document, list) else document
    if not isinstance(given, dict):
        raise InvalidPrompt(f"{name}: expected a list of messages or an object with `messages`")
    body = flattened(given, name, is_row=is_row)
    extra = given.get("extra_body") or ()
    found = sifted(body, is_row=is_row, allow_pass=allow_pass, on_purpose=extra)
    try:
        turns = linked([*_system(body.get("system"), name), *_turns(body, name)], name)
        if not any(map(_says_something, turns)):
            raise InvalidPrompt(f"{name}: the prompt is empty")
        tools = tools_of(body, name)
        schema, schema_name = schema_of(body, name)
    except RecursionError as error:
        raise InvalidPrompt(f"{name}: {TOO_DEEP}") from error
    return Chat(
        turns=turns,
        tools=tools,
        schema=schema,
        schema_name=schema_name,
        options=options_of(body, found.kept, name),
        max_tokens=max_tokens_of(body, name),
        notes=found.notes if is_row else (*found.notes, *unread(body)),
    )


def parse_row(row: Any, *, name: str, allow_pass: bool = False) -> tuple[Chat, str | None]:
    """Return the request of one decoded JSONL row, and its custom id.

    A row is a bare string, `{"prompt": …}`, `{"messages": …}`, or a line of OpenAI's batch
    format with the request under `body`. Fields of a row that are no parameters are labels.
    Raises InvalidPrompt.
    """
    if isinstance(row, str):
        return parse_chat({"prompt": row}, name=name), None
    if not isinstance(row, dict):
        raise InvalidPrompt(f"{name}: expected a JSON object or string")
    custom_id = row.get("custom_id", row.get("id"))
    if custom_id is not None and not isinstance(custom_id, str | int):
        raise InvalidPrompt(f"{name}: custom_id: expected a string")
    if isinstance(row.get("body"), dict) or (
        "body" in row and not {"prompt", "messages"} & set(row)
    ):
        chat = parse_chat(row["body"], name=f"{name}: body", allow_pass=allow_pass)
    else:
        chat = _parsed(row, name, is_row=True, allow_pass=allow_pass)
    return chat, None if custom_id is None else str(custom_id)


def parse_json(text: str, *, name: str, first_line: int = 1) -> Any:
    """Decode JSON; an error names the place as `NAME:LINE:COLUMN`. Raises InvalidPrompt.

    `first_line` is the line of the file on which `text` starts.
    """
    try:
        return decode_json(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        problem = error.msg[:1].lower() + error.msg[1:]
        raise InvalidPrompt(f"{name}:{line}:{error.colno}: not JSON: {problem}") from error
    except ValueError as error:
        raise InvalidPrompt(f"{name}:{first_line}: not JSON: {error}") from error
    except RecursionError as error:
        raise InvalidPrompt(f"{name}:{first_line}: {TOO_DEEP}") from error


def request_of(chat: Chat) -> Request:
    """Return what the decision reads of a chat: its texts, and the sizes of all else.

    What a model thought and the tools it called count as text, since it reads them again; tools
    count as OpenAI would be told of them. A JSON answer without a schema is the parameter
    `response_format`, a tool that the provider runs is `provider_tools`.
    """
    return Request(
        messages=tuple(map(_message, chat.turns)),
        tool_names=tuple(tool.name for tool in chat.tools),
        tools_text="".join(map(tool_text, chat.tools)),
        schema_text=compact(chat.schema) if chat.schema else "",
        parameters=chat.parameters,
        max_tokens=chat.max_tokens,
        files=chat.files,
        forms=chat.forms,
        cache_ttl=chat.cache_ttl,
        notes=chat.notes,
    )


def _system(system: Any, name: str) -> Iterator[Turn]:
    """Anthropic's system prompt: a string or a list of text blocks beside the messages."""
    if system is not None:
        yield Turn("system", content_parts(system, f"{name}: system", "system"))


def _turns(body: Mapping[str, Any], name: str) -> Iterator[Turn]:
    if "messages" not in body and "prompt" in body:
        if not isinstance(body["prompt"], str):
            raise InvalidPrompt(f"{name}: prompt: expected a string")
        yield Turn("user", (*content_parts(body["prompt"], name, "user"), *_images(body, name)))
        return
    messages = body.get("messages")
    if not isinstance(messages, list):
        found = "nothing" if "messages" not in body else kind_of(messages)
        raise InvalidPrompt(f"{name}: messages: expected a list, found {found}")
    yield from joined(
        (turn, is_item(message))
        for index, message in enumerate(messages)
        for turn in message_turns(message, f"{name}: messages[{index}]")
    )


def _images(row: Mapping[str, Any], name: str) -> Iterator[Media]:
    """Yield what Ollama has beside a prompt; under that name a row of data may have a label."""
    images = row.get("images")
    if isinstance(images, list) and all(isinstance(one, str) for one in images):
        for index, one in enumerate(images):
            yield plain_image(one, f"{name}: images[{index}]")


def _says_something(turn: Turn) -> bool:
    texts = (text for part in turn.parts for text in _texts(part))
    return any(text.strip() for text in texts) or any(_attached(turn.parts))


def _message(turn: Turn) -> Message:
    texts = [text for part in turn.parts for text in _texts(part)]
    media = tuple(_attached(turn.parts))
    kinds = tuple(one.modality for one in media)
    return Message(turn.role, "\n".join(texts), kinds, tuple(map(media_size, media)))


def _texts(part: Part) -> Iterator[str]:
    if isinstance(part, Text | Thinking):
        if part.text:
            yield part.text
        if isinstance(part, Text) and part.extra:
            yield from (part.extra[name] for name in ("title", "context") if name in part.extra)
    elif isinstance(part, ToolCall):
        yield f'{{"name":{compact(part.name)},"input":{part.arguments}}}'
    elif isinstance(part, ToolResult):
        for inner in part.content:
            yield from _texts(inner)


def _attached(parts: tuple[Part, ...]) -> Iterator[Media]:
    for part in parts:
        if isinstance(part, Media):
            yield part
        elif isinstance(part, ToolResult):
            yield from _attached(part.content)
