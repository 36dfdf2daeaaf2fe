"""What kind of task a request is: by its structure, else by the nearest example."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from rolecall.registry.errors import RegistryUnusable
from rolecall.registry.records import Pool, Request, Role
from rolecall.registry.routing.structure import Detected, task_by_structure
from rolecall.registry.routing.tasks import GENERAL, covers, resolve_role
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.nearest import (
    VECTOR_BYTES,
    decode_vectors,
    encode_examples,
    nearest_task,
)
from rolecall.registry.storage.database import Database
from rolecall.registry.storage.vectors import read_vectors, write_vectors

SURE_ENOUGH = 0.25
FEW_WORDS = 8
SHORT_CHARS = 200


def scored_text(request: Request, before: str | None = None) -> str:
    """Return what the scorer reads: the last user message, led by the one before if it is short.

    A short follow-up ("yes, do it") says nothing about the work by itself. `before` is what the
    conversation was about where the request itself does not hold it.
    """
    turns = _user_turns(request)
    if not turns:
        return request.messages[-1].text if request.messages else ""
    earlier = turns[-2] if len(turns) > 1 else before
    return f"{earlier}\n\n{turns[-1]}" if earlier and _is_short(turns[-1]) else turns[-1]


def is_follow_up(request: Request) -> bool:
    """Tell whether a request is one short message, which in a conversation goes on with it."""
    turns = _user_turns(request, since=request.history)
    return len(turns) == 1 and _is_short(turns[0]) and task_by_structure(request) is None


def _user_turns(request: Request, since: int = 0) -> list[str]:
    # Blanks around a text, such as the newline of `echo`, say nothing of the work.
    messages = request.messages[since:]
    return [message.text.strip() for message in messages if message.role == "user"]


def _is_short(text: str) -> bool:
    return len(text) < SHORT_CHARS and len(text.split()) < FEW_WORDS


@dataclass(frozen=True, slots=True)
class _Example:
    text: str
    role: str
    kind: str | None


class ExampleIndex:
    """The registry's example utterances with their vectors, which the registry file caches.

    The nearest role is found first and then the nearest of its kinds of task, so that two kinds
    of one role (`code`, `code.edit`) do not lower the confidence in each other.
    """

    def __init__(self, db: Database, scorer: Scorer, pool: Pool) -> None:
        examples = _examples(pool)
        texts = [example.text for example in examples]
        self._vectors = decode_vectors(b"".join(_cached_vectors(db, scorer, texts)))
        self._roles = {role.id: role for role in pool.roles}
        self._by_role = [(example.role, example.text) for example in examples]
        self._by_kind: dict[str, tuple[list[int], list[tuple[str, str]]]] = {}
        for row, example in enumerate(examples):
            if example.kind is not None:
                rows, labels = self._by_kind.setdefault(example.role, ([], []))
                rows.append(row)
                labels.append((example.kind, example.text))

    def nearest(self, reading: Reading) -> tuple[Detected, str | None]:
        """Return the kind of the nearest examples, and the role that does it.

        The kind is `general` and the role null when no example is near enough.
        """
        found = nearest_task(reading.vector, self._by_role, self._vectors)
        if found is None or found.confidence < SURE_ENOUGH:
            confidence = found.confidence if found else 0.0
            return Detected(GENERAL, confidence, "no example is near enough"), None
        by = f"nearest example “{found.example}”"
        return Detected(self._kind(reading, found.label), found.confidence, by), found.label

    def _kind(self, reading: Reading, role: str) -> str:
        rows, labels = self._by_kind.get(role, ([], []))
        if len({kind for kind, _ in labels}) == 1:
            return labels[0][0]
        found = nearest_task(reading.vector, labels, self._vectors[rows])
        if found is not None:
            return found.label
        tasks = self._roles[role].tasks if role in self._roles else ()
        return tasks[0] if tasks else GENERAL


def detect_task(
    request: Request, reading: Reading, index: ExampleIndex
) -> tuple[Detected, str | None]:
    """Return the request's kind, and the role whose examples are nearest if that decided it.

    Structure is trusted first, then the nearest example.
    """
    by_structure = task_by_structure(request)
    if by_structure is not None:
        return by_structure, None
    return index.nearest(reading)


def fit_to_role(detected: Detected, role: Role) -> Detected:
    """Return the detected kind, or the role's first task when it is none of the role's.

    A declared role outweighs a guess: a detected kind never shuts the person out of their role.
    """
    if not role.tasks or any(covers(task, detected.kind) for task in role.tasks):
        return detected
    return Detected(role.tasks[0], detected.confidence, f"{role.id} does {role.tasks[0]}")


def _examples(pool: Pool) -> list[_Example]:
    """Return every example with the role it speaks for; a kind no role does is `general`'s."""
    found = []
    for task in pool.tasks:
        role = resolve_role(pool.roles, task.id, pool.tasks)
        owner = role.id if role is not None else GENERAL
        found += [_Example(text, owner, task.id) for text in task.examples]
    for role in pool.roles:
        found += [_Example(text, role.id, None) for text in role.examples]
    return found


def _cached_vectors(db: Database, scorer: Scorer, texts: list[str]) -> list[bytes]:
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    stored = read_vectors(db, scorer.version, keys)
    known = {key: vector for key, vector in stored.items() if len(vector) == VECTOR_BYTES}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        fresh = {key: encode_examples(scorer.encoder, [text]) for key, text in missing.items()}
        known |= fresh
        # Only a cache: a registry that cannot be written can still be read from.
        with suppress(RegistryUnusable):
            write_vectors(db, scorer.version, fresh)
    return [known[key] for key in keys]
