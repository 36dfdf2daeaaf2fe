"""Examples of prompts of each kind: templates in many languages, multiplied by what is pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from random import Random
from typing import Any

import yaml

_PASTES = "task_pastes.yaml"
_TEMPLATES = (
    "task_examples.yaml",
    "task_examples_europe.yaml",
    "task_examples_world.yaml",
    "task_examples_questions.yaml",
    "task_examples_forms.yaml",
    "task_examples_advice.yaml",
    "task_examples_facts.yaml",
)
_MOST_OF_A_LINE = {"en": 12}  # expansions of one template; of another language's:
_OTHERWISE = 6
_MOST_WITHOUT_PASTES = 14  # of a kind that is asked without a paste, in any language
# What usually stands beside an instruction of a kind, with weights.
_USUAL_PASTES: Mapping[str, Mapping[str, float]] = {
    "code": {"code": 6, "trace": 3, "sql": 1.5, "shell": 1, "diff": 1},
    "code.edit": {"code": 6, "sql": 1},
    "math": {"math": 3, "latex": 2},
    "extract": {"text": 7, "table": 1.5, "log": 1.5},
    "write": {"text": 1},
    "translate": {"text": 1},
    "summarize": {"text": 8, "log": 1, "table": 0.5, "code": 0.5},
    "analyze": {"text": 5, "table": 4},
}
_WITHOUT_PASTES = ("medical", "legal")
_BEFORE = ("{i}:\n{p}", "{i}:\n\n{p}", "{i}\n\n{p}", "{i}: {p}", "{i}\n{p}", "{i}\n---\n{p}",
           '{i}: "{p}"', "{i}\n\n<text>\n{p}\n</text>", "{i} {p}")  # fmt: skip
_AFTER = ("{p}\n\n{i}", "{p}\n\n{i}", "{p}\n{i}", "{p}\n---\n{i}", '"{p}"\n{i}', "{p} {i}")
_BARE = {"code": ("code", "trace", "sql", "shell", "diff"), "math": ("latex",)}


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt of a known kind; those made of one template share its `group`."""

    text: str
    kind: str
    language: str
    group: int
    files: tuple[str, ...] = ()


def task_examples(seed: int = 0) -> list[Example]:
    """Return all examples; the same seed gives the same ones."""
    pastes = _read(_PASTES)
    found: list[Example] = []
    group = 0
    for file in _TEMPLATES:
        for language, kinds in _read(file).items():
            for kind, sections in kinds.items():
                for section, lines in sections.items():
                    for line in lines.splitlines():
                        group += 1
                        # Its own draws: a template more changes no other's examples.
                        own = Random(f"{seed} {line}")
                        texts = _texts(line, kind, section, language, pastes, own)
                        found += [Example(one, kind, language, group, name) for one, name in texts]
    found += _without_words(pastes, Random(seed), group)
    return [*found, *_of_the_seed(found[-1].group)]


def expansions(template: str, most: int, rng: Random) -> list[str]:
    """Return up to `most` different texts of a template with choices such as `(a|b|)`."""
    found = {_expanded(template, rng)[0]: None for _ in range(most * 2)}
    return list(found)[:most]


def _expanded(template: str, rng: Random, start: int = 0) -> tuple[str, int]:
    """Expand up to the bracket that closes; brackets without a choice stay as they are."""
    options = [""]
    position = start
    while position < len(template) and not (template[position] == ")" and start):
        if template[position] == "(":
            inner, position = _expanded(template, rng, position + 1)
            options[-1] += inner
        elif template[position] == "|" and start:
            options.append("")
        else:
            options[-1] += template[position]
        position += 1
    if not start:
        return options[0], position
    return (rng.choice(options) if len(options) > 1 else f"({options[0]})"), position


def _texts(
    line: str, kind: str, section: str, language: str, pastes: Mapping[str, Any], rng: Random
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the prompts of one template, each with the names of the files it is read from."""
    most = _MOST_OF_A_LINE.get(language, _OTHERWISE)
    if kind in _WITHOUT_PASTES:
        most = _MOST_WITHOUT_PASTES
    for text in expansions(line.replace("\\n", "\n"), most, rng):
        said = _courteous(" ".join(text.split(" ")).strip(), kind, language, pastes, rng)
        if section == "alone" or rng.random() < 0.12:
            yield said, ()
            continue
        if rng.random() < 0.1:
            name, content = rng.choice(list(pastes["files"][kind].items()))
            yield f"{content}\n\n{said}", (name,)
            continue
        usual = _USUAL_PASTES[kind] if section == "over" else {section: 1.0}
        what = rng.choices(list(usual), list(usual.values()))[0]
        paste = _paste(what, language, pastes, rng)
        where = _BEFORE if rng.random() < 0.55 else _AFTER
        yield rng.choice(where).replace("{i}", said).replace("{p}", paste), ()


def _paste(what: str, language: str, pastes: Mapping[str, Any], rng: Random) -> str:
    if what != "text":
        return str(rng.choice(pastes[what]))
    texts: Mapping[str, Sequence[str]] = pastes["text"]
    drawn = rng.random()
    source = language if drawn < 0.6 else "en" if drawn < 0.75 else rng.choice(list(texts))
    paste = rng.choice(texts.get(source, texts["en"]))
    sentences = re.split(r"(?<=[.!?。])\s*", paste)
    if drawn < 0.15 and len(sentences) > 2:
        return " ".join(sentences[: rng.randint(1, 2)])
    if drawn > 0.85:
        return f"{paste}\n\n{rng.choice(texts.get(source, texts['en']))}"
    return str(paste)


def _courteous(text: str, kind: str, language: str, pastes: Mapping[str, Any], rng: Random) -> str:
    """Vary the case of the first letter, and now and then ask politely."""
    phrases = pastes["courtesy"].get(language)
    if phrases and kind != "chat" and rng.random() < 0.2:
        text = rng.choice(phrases).replace("{}", text)
    return text[:1].upper() + text[1:] if rng.random() < 0.5 else text


def _without_words(pastes: Mapping[str, Any], rng: Random, group: int) -> Iterator[Example]:
    """Yield pastes with no instruction or one in no known language, and words of no language."""
    for kind, names in _BARE.items():
        for name in names:
            for paste in pastes[name]:
                group += 1
                yield Example(paste, kind, "none", group)
                for where in rng.sample((*_BEFORE[:5], *_AFTER[:4]), 2):
                    text = where.replace("{i}", _gibberish(rng)).replace("{p}", paste)
                    yield Example(text, kind, "none", group)
    for _ in range(120):
        group += 1
        yield Example(_gibberish(rng), "general", "none", group)


def _of_the_seed(group: int) -> Iterator[Example]:
    """Yield the examples that a new registry begins with."""
    seed = (resources.files("rolecall.registry") / "seed" / "tasks.yaml").read_text("utf-8")
    for task in yaml.safe_load(seed)["tasks"]:
        for text in task.get("examples", ()):
            group += 1
            yield Example(text, task["id"], "en", group)


def _gibberish(rng: Random) -> str:
    letters = rng.choice(
        ("abcdefghijklmnopqrstuvwxyz", "ԱԲԳԴԵԶԷԸԹԺ", "กขคงจฉชซ", "אבגדהוזחט", "აბგდევზ")
    )
    return " ".join(
        "".join(rng.choice(letters) for _ in range(rng.randint(2, 8)))
        for _ in range(rng.randint(2, 6))
    )


def _read(name: str) -> Any:
    file = resources.files("rolecall.registry.scorer.training") / name
    return yaml.safe_load(file.read_text(encoding="utf-8"))
