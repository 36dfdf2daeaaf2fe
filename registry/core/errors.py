"""Every failure a user can cause or cure, with its exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rolecall.registry.core.chat import Answer


class ExitCode(IntEnum):
    """The process exit codes; the only place they are named."""

    DONE = 0
    OTHER = 1
    USAGE = 2
    NOTHING_ELIGIBLE = 3
    ALL_FAILED = 4
    BATCH_PARTLY_FAILED = 5
    BUDGET = 6
    CHECK_FAILED = 7
    INTERRUPTED = 130


class RegistryError(Exception):
    """A failure with one clear line: what failed, and what to type next.

    `message` is lowercase without a full stop; `hint` is a command or a short advice. One that
    `is_listing` goes on below its first line, a line for each thing that is wrong.
    """

    exit_code: ExitCode = ExitCode.OTHER
    is_listing: bool = False

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
    """No endpoint is eligible for the request."""

    exit_code = ExitCode.NOTHING_ELIGIBLE


class BudgetExceeded(RegistryError):
    """Only endpoints over a spending limit are left."""

    exit_code = ExitCode.BUDGET


class AllFailed(RegistryError):
    """Every eligible endpoint was asked, and none gave a whole answer."""

    exit_code = ExitCode.ALL_FAILED


class CheckFailed(RegistryError):
    """An answer is whole, and not the one that was asked for by a schema or a check."""

    exit_code = ExitCode.CHECK_FAILED
    error_type = "check_failed"


class CallFailed(RegistryError):
    """One attempt at an endpoint failed.

    `error_type` is one of `ERROR_TYPES`; `status` is the HTTP status, if one came;
    `retry_after_s` is what the server asked for; `parameter` names the request parameter that
    was refused; `partial` is what had come of an answer. `was_sent` says of a failed connection
    that the request went out before; `may_retry` is whether the server says that another try is
    worthwhile, null where it does not say. The message never holds a key.
    """

    exit_code = ExitCode.ALL_FAILED

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        parameter: str | None = None,
        partial: Answer | None = None,
        was_sent: bool = False,
        may_retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.status = status
        self.retry_after_s = retry_after_s
        self.parameter = parameter
        self.partial = partial
        self.was_sent = was_sent
        self.may_retry = may_retry


ERROR_TYPES = {
    "connect_failed": "no connection: refused, unknown host, or broken before an answer began",
    "connect_timeout": "no connection within the time allowed",
    "first_token_timeout": "nothing of an answer within the time allowed",
    "idle_timeout": "the answer stood still for longer than allowed",
    "stream_cut": "the answer ended before its finish marker",
    "stream_error": "the server reported an error in the middle of the answer",
    "empty_answer": "a finished answer with neither text nor tool calls",
    "invalid_response": "not the format that the API documents",
    "rate_limited": "too many requests or tokens for now",
    "quota_exceeded": "the account's quota or credit is used up",
    "overloaded": "the server has no room for the request now (503, 529)",
    "server_error": "the server failed, or was not ready (other 5xx, 408, 409, 425)",
    "auth": "the key was missing, refused, or not allowed this model (401, 403)",
    "not_found": "no such model or path (404)",
    "context_too_long": "the request is longer than the model takes",
    "parameter_unsupported": "the server refuses a parameter of the request",
    "content_refused": "the provider's policy refused the content",
    "not_sent": "kept from being sent by the policy, or by a proxy that cannot be used",
    "bad_request": "the server refuses the request for another reason (other 4xx)",
    "interrupted": "stopped by the person",
}
