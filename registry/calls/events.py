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

    `check` is a shell command that gets the answer on stdin and exits 0 if it is good. Where an
    answer fails it, or its schema, up to `retry_invalid` further endpoints are asked.
    """

    chat: Chat
    choices: RoutingChoices
    continue_last: bool = False
    stream: bool = True
    check: str | None = None
    retry_invalid: int = 0


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
    A CheckFailed says that its answer was whole, and another endpoint is asked.
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
    """The whole answer, with the call that gave it as stored.

    `notes` are on the answer, `told` those that the `Asking` before it had. Where one of its
    `outcomes` is bad, CheckFailed is raised after it.
    """

    decision: Decision
    answer: Answer
    call: Call
    conversation_id: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]
    told: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The checks that it failed."""
        return tuple(one for one in self.outcomes if one.score < 1.0)


@dataclass(frozen=True, slots=True)
class Checking:
    """The answer is whole, and its checks are about to run; `is_final` if no other will be asked.

    `answered` has no outcomes yet.
    """

    answered: Answered
    is_final: bool


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A call is not in the registry; `why` says so, and where it is kept instead."""

    why: str


Progress = (
    Decided
    | Asking
    | TextDelta
    | ThinkingDelta
    | Failed
    | Waiting
    | Checking
    | Answered
    | Unrecorded
)
