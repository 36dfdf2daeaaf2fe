"""The frozen records of what happened: calls, outcomes, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rolecall.registry.core.chat import Turn
    from rolecall.registry.core.decisions import Decision

SampleSource = Literal["live", "probe", "batch"]
OutcomeSource = Literal["human", "judge", "check"]


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at an endpoint, in OpenTelemetry's words; times in seconds, money in USD.

    A call is stored before it is sent; until it ends, `finished_at` is null. `error_type` is
    null for a success. `cost_usd` is null where the provider did not say what was used or no
    price is known; `reserved_usd` is then what counts against budgets: the worst case while the
    call runs, afterwards an estimate of what was used. `task` is the kind of task.
    """

    id: str
    created_at: str
    endpoint: str
    attempt: int = 1
    decision_id: str | None = None
    operation_name: str = "chat"
    provider_name: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    conversation_id: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    cache_write_1h_input_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    time_to_first_chunk_s: float | None = None
    time_per_output_token_s: float | None = None
    duration_s: float | None = None
    error_type: str | None = None
    server_address: str | None = None
    sample_source: SampleSource = "live"
    cost_usd: float | None = None
    price_source: str | None = None
    task: str | None = None
    app: str | None = None
    user: str | None = None
    region: str | None = None
    finished_at: str | None = None
    reserved_usd: float | None = None
    detail: str | None = None
    status_code: int | None = None
    retry_after_s: float | None = None
    load_duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How good one answer was, 0–1; `predicted` is the success predicted before any offset."""

    created_at: str
    endpoint: str
    score: float
    source: OutcomeSource
    decision_id: str | None = None
    task: str | None = None
    predicted: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One call's raw speed, kept for the quantiles; `weight` is less than 1 for a probe."""

    at: str
    ttft_s: float | None
    itl_s: float | None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """What an endpoint's calls add up to, kept up to date call by call.

    `calls`, `failed` (but for what a person interrupted), `errors` (by class), tokens and spend
    count everything there was; `unpriced` is the number of calls whose cost is unknown.
    `recent_calls` and `recent_failures` are decayed weights as of `updated_at`. `samples` is the
    number of calls behind the latencies: `*_p50_s` and `*_p95_s` are decayed quantiles that
    follow a change within a few calls, `*_long_p50_s` is the slow-moving median they fade back to.
    `consecutive_failures`, `times_opened` (times the circuit opened since it last closed),
    `opened_at`, `open_until`, `opened_because`, `opened_status` (HTTP) and `trial_until` are the
    circuit's; `asked_s` is how long the server asked to be left alone, `refused_key` the mark of
    a key that it refused.
    """

    endpoint: str
    updated_at: str
    calls: int = 0
    failed: int = 0
    errors: tuple[tuple[str, int], ...] = ()
    recent_calls: float = 0.0
    recent_failures: float = 0.0
    samples: int = 0
    sampled_at: str | None = None
    ttft_p50_s: float | None = None
    ttft_p95_s: float | None = None
    ttft_long_p50_s: float | None = None
    itl_p50_s: float | None = None
    itl_p95_s: float | None = None
    itl_long_p50_s: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    consecutive_failures: int = 0
    times_opened: int = 0
    open_until: str | None = None
    opened_because: str | None = None
    trial_until: str | None = None
    opened_at: str | None = None
    opened_status: int | None = None
    asked_s: float | None = None
    refused_key: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What calls and outcomes say of one endpoint at the moment of a decision.

    `freshness` is 1 right after a sample and halves with time: by it the recent medians give
    way to the long ones. By `long_freshness`, 1 for a day and halving far more slowly, these
    give way to what is declared. `recent_calls` and `recent_failures` are decayed weights.
    `success_offset` is added to the predicted success; `success_uncertainty` (0–1) is how much
    of the prediction's own uncertainty the `outcomes` leave.
    """

    samples: int = 0
    freshness: float = 0.0
    long_freshness: float = 0.0
    ttft_p50_s: float | None = None
    ttft_long_p50_s: float | None = None
    ttft_p95_s: float | None = None
    itl_p50_s: float | None = None
    itl_long_p50_s: float | None = None
    recent_calls: float = 0.0
    recent_failures: float = 0.0
    success_offset: float = 0.0
    success_uncertainty: float = 1.0
    outcomes: int = 0


@dataclass(frozen=True, slots=True)
class OutcomeStatistics:
    """What the outcomes of one endpoint on one kind of task add up to.

    `weight` is the decayed number of outcomes and `residual` the decayed sum of score minus
    prediction, both as of `updated_at`; `outcomes` counts all there were, `mean_score` is their
    plain mean.
    """

    endpoint: str
    task: str
    updated_at: str
    outcomes: int = 0
    mean_score: float = 0.0
    weight: float = 0.0
    residual: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """What was said in one turn of a conversation, the answer included, and when."""

    conversation_id: str
    created_at: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """What follows from one decision and is not in the registry yet, in the order it happened.

    `key_marks` are those of the keys that calls were sent with, by the call's id.
    """

    id: str
    decision: Decision | None = None
    calls: tuple[Call, ...] = ()
    said: Said | None = None
    outcomes: tuple[Outcome, ...] = ()
    key_marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """What a call may pass: an open circuit, if no server asked for it (`is_last`: nobody else is
    left to ask), and one that a key other than the call's (`key_mark`) opened."""

    is_last: bool = False
    key_mark: str | None = None


NO_PASSAGE = Passage()
