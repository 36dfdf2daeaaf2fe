"""What kind of task a request is: by its structure, a near example, or the classifier."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from functools import cache
from sys import intern
from typing import NamedTuple

from rolecall.registry.core.entities import Registry, Role
from rolecall.registry.core.requests import Request
from rolecall.registry.core.suggestions import unknown
from rolecall.registry.routing.rules.tasks import (
    GENERAL,
    Detected,
    covering_kinds,
    covers,
    resolve_role,
    resolve_worth,
    task_by_structure,
)
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.nearest import (
    VECTOR_BYTES,
    decode_vectors,
    encode_examples,
    nearest_task,
)
from rolecall.registry.scorer.task_classifier import (
    TaskClassifier,
    TaskGuess,
    load_task_classifier,
)
from rolecall.registry.scorer.task_cues import CUES, TELLING_CUES
from rolecall.registry.scorer.text import asked_text, is_short
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.vectors import read_vectors, write_vectors

SURE_ENOUGH = 0.5
# How the evidence that a kind needs grows with its stake: 16 times at stake, twice as likely.
_EVIDENCE = 0.25


def is_follow_up(request: Request) -> bool:
    """Tell whether a request is one short message, which in a conversation goes on with it."""
    turns = [text.strip() for role, text in turns_of(request, request.history) if role == "user"]
    return len(turns) == 1 and is_short(turns[0]) and task_by_structure(request) is None


def turns_of(request: Request, since: int = 0) -> list[tuple[str, str]]:
    """Return the roles and texts of a request's messages from one on."""
    return [(message.role, message.text) for message in request.messages[since:]]


class _Example(NamedTuple):
    text: str
    kind: str | None
    role: Role | None


class ExampleIndex:
    """The registry's example utterances with their vectors, and the classifier beside them.

    A prompt near an example is of its kind. One that is merely nearest to the examples of a kind
    or role which the classifier does not know is theirs unless the classifier is surer of its own.
    A kind in which more is at stake than in `general` must be clearly likelier than that.
    """

    def __init__(self, db: Database, scorer: Scorer, registry: Registry) -> None:
        self.classifier = _classifier()
        self._examples = _examples(registry)
        texts = [example.text for example in self._examples]
        self._vectors = decode_vectors(b"".join(_cached_vectors(db, scorer, texts)))
        self._labels = [
            (intern(f"{one.kind or ''}@{one.role.id if one.role else ''}"), one.text)
            for one in self._examples
        ]
        learned = {*self.classifier.kinds, *self.classifier.parents}
        doing = {resolve_role(registry.roles, kind, registry.tasks) for kind in learned} - {None}
        self._least_odds = _least_odds(registry, learned)
        self._learned = [one.kind in learned or one.role in doing for one in self._examples]

    def detect(self, request: Request, reading: Reading) -> tuple[Detected, Role | None]:
        """Return the kind of a request, and the role whose examples decided it, if they did.

        Its structure goes before its wording.
        """
        by_structure = task_by_structure(request)
        if by_structure is not None:
            return by_structure, None
        text = asked_text(turns_of(request))
        guess = self.classifier.classify(text, reading.vector, request.files)
        told = _told(guess, self.classifier.least, self._least_odds[guess.kind])
        found = nearest_task(text, reading.vector, self._labels, self._vectors)
        if found is None:
            return told, None
        example, learned = self._examples[found.row], self._learned[found.row]
        is_sure = found.confidence >= SURE_ENOUGH and not learned
        if not found.is_near and not (
            is_sure and (told.kind == GENERAL or found.confidence > told.confidence)
        ):
            return told, None
        by = f"example “{example.text}”"
        if example.kind is not None:
            return Detected(example.kind, found.confidence, by), None
        assert example.role is not None
        kind = fit_to_role(told, example.role).kind
        return Detected(kind, found.confidence, by), example.role


@cache
def _classifier() -> TaskClassifier:
    return load_task_classifier()


def _least_odds(registry: Registry, kinds: Collection[str]) -> dict[str, float]:
    """Return how many times likelier than `general` each kind must be to be said.

    The more is at stake in a kind, the more is spent in vain on a general prompt taken for it,
    and there are more of these than in training.
    """
    worths = {
        kind: resolve_worth(
            None,
            covering_kinds(registry.tasks, kind),
            resolve_role(registry.roles, kind, registry.tasks),
        )[0]
        for kind in {GENERAL, *kinds}
    }
    stakes = {kind: worth / worths[GENERAL] for kind, worth in worths.items()}
    return {kind: max(1.0, stake**_EVIDENCE) for kind, stake in stakes.items()}


def _told(guess: TaskGuess, least: float, least_odds: float) -> Detected:
    """Return what the classifier says; `general` where no kind is likely enough."""
    if guess.confidence < least:
        by = f"no kind is likely enough ({guess.kind} {guess.confidence:.2f})"
        return Detected(GENERAL, guess.general, by)
    if guess.confidence < least_odds * guess.general:
        by = f"not clearly {guess.kind} ({guess.confidence:.2f} against {guess.general:.2f})"
        return Detected(GENERAL, guess.general, by)
    shown = next((CUES[cue] for cue in guess.cues if cue in TELLING_CUES), None)
    return Detected(guess.kind, guess.confidence, f"wording and {shown}" if shown else "wording")


def fit_to_role(detected: Detected, role: Role) -> Detected:
    """Return the detected kind, or the role's first task when it is none of the role's.

    A declared role outweighs a guess: a detected kind never shuts the person out of their role.
    """
    if not role.tasks or any(covers(task, detected.kind) for task in role.tasks):
        return detected
    return Detected(role.tasks[0], detected.confidence, f"{role.id} does {role.tasks[0]}")


def known_kind(registry: Registry, learned: Sequence[str], kind: str) -> str:
    """Return a declared kind if it or a kind above it is known; raise UnknownRecord.

    Known is what a task row, a role, an assignment or an endpoint's profile names, and what the
    classifier has `learned`.
    """
    known = {task.id for task in registry.tasks}.union(learned)
    for role in registry.roles:
        known.update(role.tasks, *(one.tasks for one in role.assignments))
    for endpoint in registry.endpoints:
        if endpoint.profile is not None:
            known.update(name for name, _ in endpoint.profile.success)
    if not any(covers(name, kind) for name in known):
        raise unknown("task", kind, sorted(known))
    return kind


def _examples(registry: Registry) -> list[_Example]:
    found = [_Example(text, task.id, None) for task in registry.tasks for text in task.examples]
    return found + [_Example(text, None, role) for role in registry.roles for text in role.examples]


def _cached_vectors(db: Database, scorer: Scorer, texts: list[str]) -> list[bytes]:
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    stored = read_vectors(db, scorer.version, keys)
    known = {key: vector for key, vector in stored.items() if len(vector) == VECTOR_BYTES}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        fresh = {key: encode_examples(scorer.encoder, [text]) for key, text in missing.items()}
        known |= fresh
        with db.dispensable():  # only a cache
            write_vectors(db, scorer.version, fresh)
    return [known[key] for key in keys]
