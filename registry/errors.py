"""Every failure a user can cause or cure, with its exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The process exit codes; the only place they are named."""

    DONE = 0
    OTHER = 1
    USAGE = 2
    NOTHING_ELIGIBLE = 3
    ALL_FAILED = 4
    BATCH_PARTLY_FAILED = 5
    BUDGET = 6
    INTERRUPTED = 130


class RegistryError(Exception):
    """A failure with one clear line: what failed, and what to type next.

    `message` is lowercase without a full stop; `hint` is a command or a short advice.
    """

    exit_code: ExitCode = ExitCode.OTHER

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RegistryError):
    """What was typed or brought cannot be used as it is."""

    exit_code = ExitCode.USAGE


class UnknownRecord(UsageError):
    """A name that no record of the registry has."""


class RecordExists(UsageError):
    """A record of that name is already there."""


class RecordInUse(UsageError):
    """A record that others still refer to."""


class RecordChanged(RegistryError):
    """A record that someone else changed since it was read."""


class InvalidDocument(UsageError):
    """A YAML or JSON text that does not describe what it should.

    The message starts with `FILE:LINE: path: `, as far as each is known.
    """


class InvalidPrompt(UsageError):
    """A prompt that cannot be read: empty, binary, or not the stated format."""


class RegistryUnusable(RegistryError):
    """The registry file cannot be opened, read or written."""


class ScorerUnusable(RegistryError):
    """The scorer's artifact is missing, damaged or of another format."""


class NothingEligible(RegistryError):
    """No endpoint may serve the request."""

    exit_code = ExitCode.NOTHING_ELIGIBLE


class BudgetExceeded(RegistryError):
    """Only endpoints over a spending limit are left."""

    exit_code = ExitCode.BUDGET
