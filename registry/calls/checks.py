"""Judge an answer by itself: against the schema it was asked for, and by a command."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rolecall.registry.chat.json_schema import answer_problem, json_in
from rolecall.registry.chat.schema_bounds import SchemaUnchecked
from rolecall.registry.core.chat import Answer, Text
from rolecall.registry.core.clock import stamp, utc_now
from rolecall.registry.core.decisions import Candidate, Decision
from rolecall.registry.core.errors import RegistryError
from rolecall.registry.core.formatting import seconds
from rolecall.registry.core.telemetry import Outcome

CHECK_TIMEOUT_S = 300.0
_NOT_RUN = 126  # a shell's codes from here on: not runnable, not found, killed by a signal


class CheckUnusable(RegistryError):
    """A check that could not say whether an answer is good."""


def judged(
    record: Callable[[Outcome], None],
    schema: Mapping[str, Any] | None,
    check: str | None,
    decision: Decision,
    candidate: Candidate,
    answer: Answer,
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """Record one outcome for each check that was asked for; return them and what to say.

    A check that cannot be run, or takes too long, judges nothing and is only spoken of. An answer
    that is a tool call is not held against the schema.
    """
    verdicts: list[tuple[str, str | None]] = []
    notes: list[str] = []
    if schema is not None and (answer.text or not answer.tool_calls):
        try:
            verdicts.append(("schema", answer_problem(answer.text, schema)))
        except SchemaUnchecked as unchecked:
            notes.append(f"the answer was not checked against its schema: {unchecked.message}")
    if check is not None:
        try:
            verdicts.append(("check", check_problem(check, answer.text)))
        except CheckUnusable as error:
            notes.append(error.message)
    outcomes = []
    for name, problem in verdicts:
        why = problem if decision.prompt is not None else "failed"  # a problem quotes the answer
        note = f"{name}: {why if problem else 'passed'}"
        score = 0.0 if problem else 1.0
        outcome = outcome_of(decision, candidate, score=score, note=note)
        record(outcome)
        outcomes.append(outcome)
    notes += [f"{name} failed: {problem}" for name, problem in verdicts if problem]
    return tuple(outcomes), tuple(notes)


def without_fence(answer: Answer) -> Answer:
    """Return an answer whose text is the JSON alone that stands in a fence within it."""
    text = json_in(answer.text)
    if text == answer.text:
        return answer
    rest = tuple(part for part in answer.parts if not isinstance(part, Text))
    first = next(i for i, part in enumerate(answer.parts) if isinstance(part, Text))
    return replace(answer, parts=(*rest[:first], Text(text), *rest[first:]))


def outcome_of(decision: Decision, candidate: Candidate, *, score: float, note: str) -> Outcome:
    """Return the outcome of a check on one answer."""
    return Outcome(
        created_at=stamp(utc_now()),
        endpoint=candidate.endpoint,
        score=score,
        source="check",
        decision_id=decision.id,
        task=decision.task.kind,
        predicted=candidate.scored_success,
        note=note,
    )


def check_problem(command: str, answer: str) -> str | None:
    """Run a shell command with the answer on its stdin; say what failed, null if it exits 0.

    What the command prints is nobody's answer and is dropped. Raises CheckUnusable where it
    cannot be run, is killed or takes too long: that says nothing of the answer.
    """
    try:
        ended = subprocess.run(
            command,
            shell=True,
            input=answer.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=CHECK_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        why = f"it took longer than {seconds(CHECK_TIMEOUT_S)}"
        raise CheckUnusable(f"the check judged nothing: {why}") from error
    code = ended.returncode
    if code < 0 or code >= _NOT_RUN:
        raise CheckUnusable(f"the check judged nothing: the shell says exit {code}")
    return None if code == 0 else f"exit {code}"
