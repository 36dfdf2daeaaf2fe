"""One line of a judged file as a row, or what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from sys import intern
from typing import Any, NamedTuple, NoReturn

FOLDS = 8
SHORT_CHARS = 200
FEW_WORDS = 8

_NUMBERS = frozenset({int, float})
_JUDGEMENTS = frozenset({int, float, bool})
_MOST = 1e12  # tokens or USD; past it is no figure of an answer
_SHOWN_CHARS = 60


class BadRow(Exception):
    """A line that is no judged row; says what is wrong with it."""


class Row(NamedTuple):
    """What one line says. `model` is null where the line holds every model's answer.

    `text` is what the scorer reads; `key` tells one conversation from another (64 bits).
    """

    id: str | int | None
    key: int
    text: str
    dataset: str
    task: str
    group: str
    fold: int
    model: str | None
    scores: Mapping[str, float]
    tokens: Mapping[str, float]
    costs: Mapping[str, float]
    named: Sequence[str]  # models said to be meant, without a score

    @property
    def form(self) -> str | None:
        """What kind of row it is, in words; null where it names no answer."""
        if self.model is not None:
            return "a row per answer"
        return "a wide row" if self.scores or self.named else None


def parse_row(line: bytes, dataset: str, *, need_scores: bool = True) -> Row:
    """Return the row that a line is; `dataset` is the file's own, where the row names none.

    Raises BadRow with the first thing that is wrong.
    """
    plain = _decoded(line)
    text, identity = _prompt(plain)
    model, scores, tokens, costs = _answers(plain)
    named = () if need_scores or scores else _named(plain)
    if need_scores and not scores:
        raise BadRow("no scores: a row has `scores` {model: 0..1}, or `model` and `score`")
    digest = sha256(identity.encode("utf-8", "surrogatepass")).digest()
    own = digest if identity is text else sha256(text.encode("utf-8", "surrogatepass")).digest()
    dataset = _word(plain, "dataset") or dataset
    group, fold = _group_and_fold(plain, own)
    return Row(
        id=_name(plain, "id"),
        key=int.from_bytes(digest[:8]),
        text=text,
        dataset=dataset,
        task=_word(plain, "task") or dataset,
        group=group,
        fold=fold,
        model=model,
        scores=scores,
        tokens=tokens,
        costs=costs,
        named=named,
    )


def text_read(turns: Sequence[tuple[str, str]]) -> str:
    """Return what the scorer reads of a chat's roles and texts, as a decision on it would.

    That is the last user message, led by the one before if it is short.
    """
    said = [text.strip() for role, text in turns if role == "user"]
    if not said:
        return turns[-1][1] if turns else ""
    last = said[-1]
    is_short = len(last) < SHORT_CHARS and len(last.split()) < FEW_WORDS
    earlier = said[-2] if len(said) > 1 and is_short else ""
    return f"{earlier}\n\n{last}" if earlier else last


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


def _prompt(plain: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text that is read, and what tells the conversation from another.

    Both are the same string where there is nothing but a prompt.
    """
    messages = plain.get("messages")
    if messages is None:
        prompt = plain.get("prompt")
        if prompt is not None and not isinstance(prompt, str):
            raise BadRow(f"prompt: expected text, got {_shown(prompt)}")
        text = (prompt or "").strip()
        identity = text
    else:
        turns = _turns(messages)
        text = text_read(turns)
        is_prompt = len(turns) == 1 and turns[0][0] == "user" and not plain.get("system")
        identity = text if is_prompt else json.dumps([plain.get("system"), messages])
    if not text.strip():
        raise BadRow("no prompt: a row has `prompt`, or `messages` with a text")
    return text, identity


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
        own = [part for part in parts if not _is_result(part)]
        says_nothing = len(own) < len(parts) and all(map(_is_empty, own))
        text = "\n".join(filter(None, map(_text, own)))
        turns.append(("tool" if says_nothing else role, text))
    return turns


def _is_empty(part: Any) -> bool:
    return part == "" or (isinstance(part, dict) and part.get("text") == "")


def _is_result(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "tool_result"


def _text(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""


Answers = tuple[str | None, Mapping[str, float], Mapping[str, float], Mapping[str, float]]


def _answers(plain: Mapping[str, Any]) -> Answers:
    model, scores, score = plain.get("model"), plain.get("scores"), plain.get("score")
    tokens, costs = plain.get("output_tokens"), plain.get("cost_usd")
    if model is None:
        if score is not None:
            raise BadRow("`score` without `model`: whose answer was judged?")
        return (
            None,
            _figures("scores", scores, 1, "a number from 0 to 1"),
            _figures("output_tokens", tokens, _MOST, "a count"),
            _figures("cost_usd", costs, _MOST, "USD"),
        )
    if scores is not None:
        raise BadRow("both `scores` and `model`: a row holds every answer or one")
    if not isinstance(model, str) or not model:
        raise BadRow(f"model: expected a name, got {_shown(model)}")
    if "score" in plain and not _is_figure(score, 1, _JUDGEMENTS):
        raise BadRow(f"score: expected a number from 0 to 1, got {_shown(score)}")
    return (
        model,
        {} if score is None else {model: score},
        _figure("output_tokens", model, tokens, "a count"),
        _figure("cost_usd", model, costs, "USD"),
    )


def _figure(field: str, model: str, value: Any, wanted: str) -> Mapping[str, float]:
    if value is None:
        return {}
    if not _is_figure(value, _MOST, _NUMBERS):
        raise BadRow(f"{field}: expected {wanted}, got {_shown(value)}")
    return {model: value}


def _figures(field: str, values: Any, most: float, wanted: str) -> Mapping[str, float]:
    """Return a map of figures by model, without those that are null: they are unknown."""
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadRow(f"{field}: expected {{model: {wanted}}}, got {_shown(values)}")
    kinds = _JUDGEMENTS if field == "scores" else _NUMBERS
    if None in values.values():
        values = {model: value for model, value in values.items() if value is not None}
    if not values:
        return {}
    # Checked in one go: a row may hold scores of a hundred models.
    named: Mapping[str, float] = values
    figures = named.values()
    if kinds.issuperset(map(type, figures)) and min(figures) >= 0 and max(figures) <= most:
        if "" in named:
            raise BadRow(f"{field}: a model has no name")
        return named
    wrong = next(model for model, one in named.items() if not _is_figure(one, most, kinds))
    raise BadRow(f"{field}: {wrong}: expected {wanted}, got {_shown(named[wrong])}")


def _is_figure(value: Any, most: float, kinds: frozenset[type]) -> bool:
    return type(value) in kinds and 0 <= value <= most


def _named(plain: Mapping[str, Any]) -> Sequence[str]:
    names = plain.get("models")
    if names is None:
        return ()
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        raise BadRow(f"models: expected a list of names, got {_shown(names)}")
    return names


def _group_and_fold(plain: Mapping[str, Any], own: bytes) -> tuple[str, int]:
    """Return the group, by default the prompt's hash, and the fold, by default the group's.

    `own` is that hash. Equal prompts share a group, and so never straddle a split.
    """
    group, fold = _name(plain, "group"), plain.get("fold")
    if fold is not None and (type(fold) is not int or not 0 <= fold <= _MOST):
        raise BadRow(f"fold: expected a whole number, got {_shown(fold)}")
    if group is None:
        name, digest = own.hex()[:16], own
    else:
        name = intern(str(group))
        digest = sha256(name.encode("utf-8", "surrogatepass")).digest() if fold is None else own
    return name, digest[0] % FOLDS if fold is None else fold


def _name(plain: Mapping[str, Any], field: str) -> str | int | None:
    """Return an id or a group: a text or a number, null where there is none."""
    value = plain.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadRow(f"{field}: expected a text or a whole number, got {_shown(value)}")
    return value


def _word(plain: Mapping[str, Any], field: str) -> str:
    value = plain.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(f"{field}: expected a text, got {_shown(value)}")
    return intern(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
