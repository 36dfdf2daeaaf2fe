"""The frozen records of a decision: who was scored, who was excluded, who was chosen, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rolecall.registry.core.entities import Locality, Source, Strategy
from rolecall.registry.core.predictions import SuccessParts
from rolecall.registry.core.requests import Task

# How the detail of an exclusion begins where a limit on cost meets an endpoint of unknown price.
PRICE_UNKNOWN = "price unknown"


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """What one answer may cost at worst, in USD, and what sets that limit, in words."""

    usd: float
    because: str


class Candidate(NamedTuple):
    """One endpoint scored for one request; every number in USD, seconds or tokens.

    `sources` pairs each number's name with where it came from. `scored_success` is the success
    before `outcomes` moved it, and `parts` what that rests on where the scorer said it.
    `untimed_tokens` of the output are left out of the wait: neither their number nor the
    endpoint's speed is known. `price_above_tokens` is where the tier begins whose price is paid.
    """

    endpoint: str
    model: str
    value_usd: float
    success: float
    success_std: float | None
    success_basis: str
    cost_usd: float
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    ttft_s: float
    ttft_p95_s: float | None
    itl_s: float
    failure_rate: float
    samples: int | None
    locality: Locality
    preferred: int
    sources: tuple[tuple[str, Source], ...]
    scored_success: float | None = None
    outcomes: int = 0
    parts: SuccessParts | None = None
    untimed_tokens: int = 0
    price_above_tokens: int | None = None

    @property
    def is_unpriced(self) -> bool:
        """Whether the cost rests on a default: it may ask for something, and nobody knows what."""
        return self.locality == "remote" and ("price", "default") in self.sources

    @property
    def streaming_s(self) -> float:
        """Expected seconds from the first token to the last."""
        return self.itl_s * (self.output_tokens - self.untimed_tokens)

    @property
    def duration_s(self) -> float:
        """Expected seconds until the last token."""
        return self.ttft_s + self.streaming_s


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One reason why one endpoint is not eligible; `weighed` where its numbers are known.

    `is_outside` where the reason is that nobody asked for the endpoint: it is not the role's, or
    not named by `--endpoint`.
    """

    endpoint: str
    code: str
    detail: str
    weighed: Candidate | None = None
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class Flip:
    """The smallest change of one weight or limit that alters the choice.

    `was` and `becomes` are in the strategy's own terms, for `quality_usd` without the worth;
    `change` says it in words, with the worth. `was` is null where no limit was set; `chosen` is
    null where nothing would be left.
    """

    parameter: str
    was: float | bool | None
    becomes: float | bool
    change: str
    chosen: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """A stored choice with all that explains it, whatever the registry does later."""

    id: str
    created_at: str
    task: Task
    role: str | None
    strategy: Strategy
    strategy_layers: tuple[str, ...]
    app: str | None
    user: str | None
    conversation_id: str | None
    incumbent: str | None
    chosen: str | None
    runner_up: str | None
    margin_usd: float | None
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    excluded: tuple[Exclusion, ...]
    fallbacks: tuple[str, ...]
    registry_revision: int
    scorer_version: str
    elapsed_ms: float
    prompt: str | None = None
    prompt_sha256: str = ""
    notes: tuple[str, ...] = ()
