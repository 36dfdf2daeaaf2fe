"""What is asked, and what happens on the way to an answer, as records."""

from __future__ import annotations

from dataclasses import dataclass

from rolecall.registry.core.chat import Answer, Chat, TextDelta, ThinkingDelta
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import RegistryError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.core.telemetry import Call, Outcome


@dataclass(frozen=True, slots=True)
class AskRequest:
    """What is asked: the new turns, the choices, and what is to be done with the answer.

    `check` is a shell command that gets the answer on stdin and exits 0 if it is good.
    """

    chat: Chat
    choices: RoutingChoices
    continue_last: bool = False
    stream: bool = True
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision was made; nothing was sent yet."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Asking:
    """An endpoint is about to be asked; `notes` are what the person should know before."""

    endpoint: str
    attempt: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed, `was_shown` telling whether some of its text went out.

    `error` says why it failed, or why it was not even made; `call` is then null, else as stored.
    """

    endpoint: str
    error: RegistryError
    was_shown: bool
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The same endpoint is asked again after so many seconds; `is_asked` where it asked for it."""

    endpoint: str
    seconds: float
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The whole answer, with the call that gave it as stored."""

    decision: Decision
    answer: Answer
    call: Call
    conversation_id: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]


Progress = Decided | Asking | TextDelta | ThinkingDelta | Failed | Waiting | Answered
