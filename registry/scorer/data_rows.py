"""What a row of a judged file says, or what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from sys import intern
from typing import Any, NoReturn

from rolecall.registry.scorer.data_lines import shown
from rolecall.registry.scorer.text import asked_text, text_read

FOLDS = 8
_SHOWN_CHARS = 60
_MOST = 1e12  # tokens or USD; past it is no figure of an answer
_NUMBERS = frozenset({int, float})
# Of each kind of figure the most it can be, what it is, and the types it may have.
_FIGURES: Mapping[str, tuple[float, str, frozenset[type]]] = {
    "score": (1, "a number from 0 to 1", _NUMBERS | {bool}),
    "scores": (1, "a number from 0 to 1", _NUMBERS | {bool}),
    "output_tokens": (_MOST, "a count", _NUMBERS),
    "cost_usd": (_MOST, "USD", _NUMBERS),
}


class BadRow(Exception):
    """A line that is no judged row; says what is wrong with it."""


@dataclass(slots=True)
class ParsedRow:
    """What one line says, and what later lines add to it.

    `id` is null where there is none, `model` where the line holds every model's answer. `text` is
    what the scorer reads; `key` identifies the conversation. `named` are the models that
    it is about, with a score or without.
    """

    path: Path
    number: int
    id: str | int | None
    key: bytes
    text: str
    dataset: str
    task: str
    group: str
    fold: int
    model: str | None
    scores: dict[str, float]
    tokens: dict[str, float]
    costs: dict[str, float]
    named: dict[str, None]

    @property
    def form(self) -> str | None:
        """What kind of row it is, in words; null where it names no answer."""
        if self.model is not None:
            return "a row per answer"
        return "a wide row" if self.named else None

    def join(self, other: ParsedRow) -> None:
        """Add what another row of the same prompt has, and this one has not."""
        self.scores = other.scores | self.scores
        self.tokens = other.tokens | self.tokens
        self.costs = other.costs | self.costs
        self.named = self.named | other.named


def parse_row(
    line: bytes | dict[str, Any], path: Path, number: int, *, need_scores: bool
) -> ParsedRow:
    """Return the row that a line is; a row's data set is by default its file.

    Raises BadRow with the first thing that is wrong.
    """
    plain = _decoded(line) if isinstance(line, bytes) else line
    text, identity, asked = _prompt(plain)
    model, scores, tokens, costs = _answers(plain)
    if need_scores and not scores:
        raise BadRow("no scores: a row has `scores` {model: 0..1}, or `model` and `score`")
    own = _digest(asked)
    dataset = _word(plain, "dataset") or shown(Path(path.name)).partition(".")[0] or path.name
    group, fold = _group_and_fold(plain, own)
    listed = () if need_scores or scores else _named(plain)
    return ParsedRow(
        path=path,
        number=number,
        id=_name(plain, "id"),
        key=own if identity is asked else _digest(identity),
        text=text,
        dataset=intern(dataset),
        task=_word(plain, "task") or dataset,
        group=group,
        fold=fold,
        model=model,
        scores=scores,
        tokens=tokens,
        costs=costs,
        named=dict.fromkeys(scores or listed or (() if model is None else (model,))),
    )


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


# Python would also read NaN and Infinity, which JSON does not have.
_JSON = json.JSONDecoder(parse_constant=_refuse)


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        row = _JSON.decode(line.decode().strip())
    except UnicodeDecodeError as error:
        raise BadRow(f"not UTF-8: 0x{line[error.start]:02x} at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        problem = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise BadRow(f"not JSON: {problem} at column {error.colno}") from error
    except ValueError as error:
        raise BadRow(f"not JSON: {error}") from error
    except RecursionError as error:
        raise BadRow("not JSON: nested too deeply") from error
    if not isinstance(row, dict):
        raise BadRow(f"expected an object, got {_shown(row)}")
    return row


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _prompt(plain: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the text that is read, what identifies the conversation, and what is asked.

    All are the same string where there is nothing but a prompt.
    """
    messages = plain.get("messages")
    if messages is None:
        prompt = plain.get("prompt")
        if prompt is not None and not isinstance(prompt, str):
            raise BadRow(f"prompt: expected text, got {_shown(prompt)}")
        identity = text = asked = (prompt or "").strip()
    else:
        turns = _turns(messages)
        system = plain.get("system")
        text = text_read([("system", system), *turns] if isinstance(system, str) else turns)
        asked = asked_text(turns)
        is_prompt = len(turns) == 1 and turns[0][0] == "user" and not plain.get("system")
        identity = text if is_prompt else json.dumps([plain.get("system"), messages])
    if not text.strip():
        raise BadRow("no prompt: a row has `prompt`, or `messages` with a text")
    return text, identity, asked


def _turns(messages: Any) -> list[tuple[str, str]]:
    if not isinstance(messages, list):
        raise BadRow(f"messages: expected a list, got {_shown(messages)}")
    turns = []
    for index, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str):
            raise BadRow(f"messages[{index}]: expected an object with role and content")
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        # What tools gave back may stand in a user's message, but it is not what the user says.
        own = [
            one for one in parts if not isinstance(one, dict) or one.get("type") != "tool_result"
        ]
        texts = [one.get("text") if isinstance(one, dict) else one for one in own]
        says_nothing = len(own) < len(parts) and all(text == "" for text in texts)
        said = [text for text in texts if isinstance(text, str) and text]
        turns.append(("tool" if says_nothing else role, "\n".join(said)))
    return turns


def _answers(
    plain: Mapping[str, Any],
) -> tuple[str | None, dict[str, float], dict[str, float], dict[str, float]]:
    """Return whose answer it is, null for everybody's, with scores, tokens and costs by model."""
    model, rest = plain.get("model"), ("output_tokens", "cost_usd")
    if model is None:
        if plain.get("score") is not None:
            raise BadRow("`score` without `model`: whose answer was judged?")
        scores, tokens, costs = (_figures(plain, name) for name in ("scores", *rest))
        return None, scores, tokens, costs
    if plain.get("scores") is not None:
        raise BadRow("both `scores` and `model`: a row holds every answer or one")
    if not isinstance(model, str) or not model:
        raise BadRow(f"model: expected a name, got {_shown(model)}")
    found = {}
    for name in ("score", *rest):
        value = plain.get(name)
        is_said = name in plain if name == "score" else value is not None
        found[name] = {intern(model): _figure(name, value)} if is_said else {}
    return model, found["score"], found["output_tokens"], found["cost_usd"]


def _figures(plain: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return a map of figures by model, without those that are null: they are unknown."""
    values = plain.get(name)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadRow(f"{name}: expected {{model: {_FIGURES[name][1]}}}, got {_shown(values)}")
    known = {intern(model): one for model, one in values.items() if one is not None}
    if "" in known:
        raise BadRow(f"{name}: a model has no name")
    return {model: _figure(name, one, model) for model, one in known.items()}


def _figure(name: str, value: Any, model: str | None = None) -> float:
    most, wanted, kinds = _FIGURES[name]
    if type(value) not in kinds or not 0 <= value <= most:
        where = name if model is None else f"{name}: {model}"
        raise BadRow(f"{where}: expected {wanted}, got {_shown(value)}")
    return float(value)


def _named(plain: Mapping[str, Any]) -> Sequence[str]:
    names = plain.get("models", ())
    if not isinstance(names, list | tuple) or not all(
        isinstance(one, str) and one for one in names
    ):
        raise BadRow(f"models: expected a list of names, got {_shown(names)}")
    return names


def _group_and_fold(plain: Mapping[str, Any], own: bytes) -> tuple[str, int]:
    """Return the group, by default the prompt's hash `own`, and the fold, by default the group's.

    Equal prompts share a group, and so never straddle a split.
    """
    group, fold = _name(plain, "group"), plain.get("fold")
    if fold is not None and (type(fold) is not int or not 0 <= fold <= _MOST):
        raise BadRow(f"fold: expected a whole number, got {_shown(fold)}")
    name = own.hex()[:16] if group is None else intern(str(group))
    digest = own if group is None or fold is not None else _digest(name)
    return name, digest[0] % FOLDS if fold is None else fold


def _name(plain: Mapping[str, Any], field: str) -> str | int | None:
    """Return an id or a group: a text or a number, null where there is none."""
    value = plain.get(field)
    if value is not None and (not isinstance(value, str | int) or isinstance(value, bool)):
        raise BadRow(f"{field}: expected a text or a whole number, got {_shown(value)}")
    return None if value == "" else value


def _word(plain: Mapping[str, Any], field: str) -> str:
    value = plain.get(field)
    if value is not None and not isinstance(value, str):
        raise BadRow(f"{field}: expected a text, got {_shown(value)}")
    return intern(value or "")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
