"""A chat request in OpenAI's or Anthropic's shape, or a row of a batch, as a Request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rolecall.registry.errors import InvalidPrompt
from rolecall.registry.records import Message, Request

CHAT_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_TEXT_PARTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "thinking": "thinking",
}
_MEDIA_PARTS = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "input_audio": "audio",
    "video_url": "video",
    "input_video": "video",
    "file": "pdf",
    "input_file": "pdf",
    "document": "pdf",
}
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
# Keys that say what is asked, or who asks, rather than how it is to be answered.
_NO_PARAMETERS = {
    *("messages", "prompt", "system", "tools", "functions", "model", "response_format"),
    *("output_format", "output_config", "stream", "stream_options", "metadata", "user", "store"),
    *("id", "custom_id", "method", "url", "group", "fold", "task", "score", "scores"),
    *("output_tokens", "cost_usd", *_LIMITS),
}


def parse_chat(document: Any, *, name: str) -> Request:
    """Return the request that a decoded chat document describes.

    `document` is a list of messages or an object with `messages` (or `prompt`). Attachments are
    counted, not kept. `name` starts every error message. Raises InvalidPrompt.
    """
    body: Mapping[str, Any] = {"messages": document} if isinstance(document, list) else document
    if not isinstance(body, dict):
        raise InvalidPrompt(f"{name}: expected a list of messages or an object with `messages`")
    messages = [*_system(body.get("system"), name), *_turns(body, name)]
    if not any(message.text.strip() or message.attachments for message in messages):
        raise InvalidPrompt(f"{name}: the prompt is empty")
    tools = _tools(body, name)
    schema = _schema(body, name)
    parameters = {key for key, value in body.items() if value is not None} - _NO_PARAMETERS
    if schema == {}:
        parameters.add("response_format")
    return Request(
        messages=tuple(messages),
        tool_names=tuple(_tool_name(tool, f"{name}: tools[{i}]") for i, tool in enumerate(tools)),
        tools_chars=sum(len(_compact(tool)) for tool in tools),
        schema_chars=len(_compact(schema)) if schema else 0,
        parameters=tuple(sorted(parameters)),
        max_tokens=_max_tokens(body, name),
    )


def parse_row(row: Any, *, name: str) -> tuple[Request, str | None]:
    """Return the request of one decoded JSONL row, and its custom id.

    A row is a bare string, `{"prompt": …}`, `{"messages": …}`, or a line of OpenAI's batch
    format with the request under `body`. Raises InvalidPrompt.
    """
    if isinstance(row, str):
        return parse_chat({"prompt": row}, name=name), None
    if not isinstance(row, dict):
        raise InvalidPrompt(f"{name}: expected a JSON object or string")
    custom_id = row.get("custom_id", row.get("id"))
    if custom_id is not None and not isinstance(custom_id, str | int):
        raise InvalidPrompt(f"{name}: custom_id: expected a string")
    request = parse_chat(row.get("body", row), name=f"{name}: body" if "body" in row else name)
    return request, None if custom_id is None else str(custom_id)


def parse_json(text: str, *, name: str, first_line: int = 1) -> Any:
    """Decode JSON; an error names the place as `NAME:LINE:COLUMN`. Raises InvalidPrompt.

    `first_line` is the line of the file on which `text` starts.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        problem = error.msg[:1].lower() + error.msg[1:]
        raise InvalidPrompt(f"{name}:{line}:{error.colno}: not JSON: {problem}") from error
    except RecursionError as error:
        raise InvalidPrompt(f"{name}:{first_line}: the JSON is nested too deeply") from error


def _turns(body: Mapping[str, Any], name: str) -> Iterator[Message]:
    if "messages" not in body and "prompt" in body:
        if not isinstance(body["prompt"], str):
            raise InvalidPrompt(f"{name}: prompt: expected a string")
        yield Message("user", body["prompt"])
        return
    messages = body.get("messages")
    if not isinstance(messages, list):
        found = "nothing" if "messages" not in body else _kind(messages)
        raise InvalidPrompt(f"{name}: messages: expected a list, found {found}")
    for index, message in enumerate(messages):
        yield _message(message, f"{name}: messages[{index}]")


def _system(system: Any, name: str) -> Iterator[Message]:
    """Anthropic's system prompt: a string or a list of text blocks beside the messages."""
    if system is not None:
        text, attachments = _content(system, f"{name}: system")
        yield Message("system", text, attachments)


def _message(message: Any, place: str) -> Message:
    if not isinstance(message, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {_kind(message)}")
    role = message.get("role")
    if role not in CHAT_ROLES:
        known = ", ".join(CHAT_ROLES)
        said = "is missing" if role is None else f"{role!r} is unknown"
        raise InvalidPrompt(f"{place}: role {said} (known: {known})")
    text, attachments = _content(message.get("content"), f"{place}.content")
    # What the model said by calling a tool is read again on every later turn.
    called = [message[key] for key in ("tool_calls", "function_call") if message.get(key)]
    return Message(role, _joined([text, *map(_compact, called)]), attachments)


def _content(content: Any, place: str) -> tuple[str, tuple[str, ...]]:
    if content is None:
        return "", ()
    if isinstance(content, str):
        return content, ()
    if not isinstance(content, list):
        raise InvalidPrompt(f"{place}: expected text or a list of parts, found {_kind(content)}")
    texts: list[str] = []
    attachments: list[str] = []
    for index, part in enumerate(content):
        text, media = _part(part, f"{place}[{index}]")
        texts.append(text)
        attachments.extend(media)
    return _joined(texts), tuple(attachments)


def _part(part: Any, place: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of one content part and the modalities it attaches."""
    if isinstance(part, str):
        return part, ()
    if not isinstance(part, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {_kind(part)}")
    kind = part.get("type")
    if kind in _TEXT_PARTS:
        text = part.get(_TEXT_PARTS[kind])
        if not isinstance(text, str):
            raise InvalidPrompt(f"{place}.{_TEXT_PARTS[kind]}: expected a string")
        return text, ()
    if kind in _MEDIA_PARTS:
        return _media(part, kind)
    if kind == "tool_use":
        return _compact({"name": part.get("name"), "input": part.get("input")}), ()
    if kind == "tool_result":
        return _content(part.get("content"), f"{place}.content")
    if kind == "redacted_thinking":
        return "", ()
    raise InvalidPrompt(f"{place}: unknown type of content part {kind!r}")


def _media(part: Mapping[str, Any], kind: str) -> tuple[str, tuple[str, ...]]:
    """Tell what a part attaches; a document may turn out to be plain text, given inline."""
    source = part.get("source")
    if kind == "document" and isinstance(source, dict) and source.get("type") == "text":
        return str(source.get("data") or ""), ()
    if _MEDIA_PARTS[kind] != "pdf":
        return "", (_MEDIA_PARTS[kind],)
    inner = part.get("file") if isinstance(part.get("file"), dict) else part
    assert isinstance(inner, Mapping)
    said = str(inner.get("file_data") or "").partition(",")[0] + str(inner.get("mime_type") or "")
    modality = next((name for name in ("image", "audio", "video") if f"{name}/" in said), "pdf")
    return "", (modality,)


def _tools(body: Mapping[str, Any], name: str) -> list[Any]:
    tools: list[Any] = []
    for key in ("tools", "functions"):
        found = body.get(key) or []
        if not isinstance(found, list):
            raise InvalidPrompt(f"{name}: {key}: expected a list, found {_kind(found)}")
        tools.extend(found)
    return tools


def _tool_name(tool: Any, place: str) -> str:
    """Name a tool in either shape; one that a provider runs itself is named by its type."""
    if isinstance(tool, dict):
        function = tool.get("function")
        holder = function if isinstance(function, dict) else tool
        name = holder.get("name") or tool.get("type")
        if isinstance(name, str):
            return name
    raise InvalidPrompt(f"{place}: expected a tool with a name")


def _schema(body: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the answer's JSON schema; empty where JSON is asked for without one."""
    config = body.get("output_config")
    asked = body.get("response_format") or body.get("output_format")
    if asked is None and isinstance(config, dict):
        asked = config.get("format")
    if asked is None:
        return None
    if not isinstance(asked, dict):
        raise InvalidPrompt(f"{name}: response_format: expected an object, found {_kind(asked)}")
    if asked.get("type") == "text":
        return None
    if asked.get("type") == "json_object":
        return {}
    holder = asked.get("json_schema") if isinstance(asked.get("json_schema"), dict) else asked
    schema = holder.get("schema") if isinstance(holder, dict) else None
    if not isinstance(schema, dict):
        raise InvalidPrompt(f"{name}: response_format: expected a JSON schema under `schema`")
    return schema or {"type": "object"}


def _max_tokens(body: Mapping[str, Any], name: str) -> int | None:
    for key in _LIMITS:
        limit = body.get(key)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise InvalidPrompt(f"{name}: {key}: expected a whole number above 0")
        return limit
    return None


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")
