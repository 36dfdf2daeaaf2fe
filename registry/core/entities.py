"""The frozen records that every room speaks in: what the registry holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rolecall.registry.core.addresses import may_be_local_address
from rolecall.registry.core.effort import Effort, variant_of
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.core.value_types import (
    Date,
    Factor,
    Fraction,
    Fractions,
    Name,
    Names,
    Tokens,
    Url,
    Variable,
)

Api = Literal["openai", "anthropic", "gemini", "ollama"]
Locality = Literal["local", "remote"]
EndpointStatus = Literal["active", "disabled"]
AssignmentStatus = Literal["active", "inactive", "disabled"]
BudgetMode = Literal["hard", "advisory"]
Source = Literal["measured", "scored", "declared", "default"]


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model wherever it is served. `None` is unknown, never 0.

    `max_input_tokens` is a limit of the input alone, below the context that it shares with the
    output; `parameters_b` is the number of weights in billions; `benchmarks` are the user's scores,
    0–1; dates are ISO (YYYY-MM-DD or YYYY-MM); `source` and `as_of` say where facts came from and
    when.
    """

    id: Name
    family: str | None = None
    capabilities: Names = ()
    modalities: Names = ("text",)
    context_tokens: Tokens | None = None
    max_input_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    benchmarks: Fractions = ()
    parameters_b: float | None = None
    open_weights: bool | None = None
    release_date: Date | None = None
    source: str | None = None
    as_of: Date | None = None


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """What a provider does with prompts; in a strategy, the most that is allowed."""

    trains_on_data: bool | None = None
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class PriceTier:
    """The prices of a request whose whole input, cached tokens too, is above so many tokens.

    They hold for all of that request. What is null is as many times its price below the tier as
    the tier's input (or output) is, and never less than these.
    """

    above_tokens: Tokens
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    cache_read_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    input_audio_usd_per_mtok: float | None = None
    output_audio_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens, with where and when the figures were read.

    What is read from or written to a cache (for minutes, or for an hour), audio and reasoning cost
    what other input or output does where their price is null. Prices of `batch` are those of a
    provider's own batch API: they are kept and shown, and rolecall sends nothing there.
    """

    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    cache_read_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    input_audio_usd_per_mtok: float | None = None
    output_audio_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None
    batch_input_usd_per_mtok: float | None = None
    batch_output_usd_per_mtok: float | None = None
    tiers: tuple[PriceTier, ...] = ()
    source: str | None = None
    as_of: Date | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts measured elsewhere (`samples` > 0) or merely declared (`samples` null or 0).

    Times in seconds, `itl_s` per output token, `failure_rate` 0–1, `success` by task kind 0–1.
    """

    ttft_s: float | None = None
    ttft_p95_s: float | None = None
    itl_s: float | None = None
    failure_rate: Fraction | None = None
    success: Fractions = ()
    samples: int | None = None
    as_of: Date | None = None

    @property
    def source(self) -> Source:
        """`measured` when samples stand behind it, else `declared`."""
        return "measured" if self.samples else "declared"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model served at one place: the unit that is routed, priced and measured.

    `context_tokens` and `max_output_tokens` override the model's where less is allowed;
    `unsupported_parameters` names request parameters that are refused or ignored. The key
    is in the environment variable `key_env`, else printed by the shell command `key_command`.
    `reasoning_effort` is asked for where a request says nothing of it; null is the server's own.
    """

    id: Name
    model: Name
    api: Api = "openai"
    base_url: Url = ""
    remote_model: str = ""
    key_env: Variable | None = None
    key_command: str | None = None
    locality: Locality = "remote"
    region: Name | None = None
    data_policy: DataPolicy = DataPolicy()
    quantization: str | None = None
    reasoning_effort: Effort | None = None
    context_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    unsupported_parameters: Names = ()
    price: Price | None = None
    profile: Profile | None = None
    status: EndpointStatus = "active"

    @property
    def is_local(self) -> bool:
        """Whether it is stated to be local, and its address does not say otherwise."""
        is_stated = self.locality == "local"
        return is_stated and (not self.base_url or may_be_local_address(self.base_url))

    @property
    def variant(self) -> str:
        """What the scorer knows it by: its model with the effort that it asks for."""
        effort = self.reasoning_effort
        return self.model if effort is None else variant_of(self.model, effort)


@dataclass(frozen=True, slots=True)
class Assignment:
    """An endpoint's place in a role; `tasks` and `capabilities` restrict it where not empty."""

    endpoint: Name
    status: AssignmentStatus = "active"
    tasks: Names = ()
    capabilities: Names = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A named kind of work. No `tasks` means any task; no `assignments`, any endpoint.

    `worth` is what is at stake, as a factor on the strategy's `quality_usd`; null says nothing.
    """

    id: Name
    description: str = ""
    tasks: Names = ()
    require: Names = ()
    prefer: Names = ()
    forbid: Names = ()
    strategy: Name | None = None
    worth: Factor | None = None
    examples: tuple[str, ...] = ()
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A named kind of request: what it needs and which roles are eligible (none: every role).

    `worth` goes before the role's.
    """

    id: Name
    description: str = ""
    require: Names = ()
    prefer: Names = ()
    roles: Names = ()
    worth: Factor | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Strategy:
    """How candidates are valued (USD) and what is never allowed.

    The field defaults are those of the built-in `balanced`. The `default_*` figures are used,
    marked `default`, where nothing is known of an endpoint: worse than most, so that the unknown
    is never mistaken for free or instant. Where no candidate reaches `min_success`, `else_` (in a
    document `else`) takes the one most likely correct.
    """

    id: Name
    description: str = ""
    quality_usd: float = 0.05
    ttft_usd_per_s: float = 0.0005
    itl_usd_per_s: float = 0.0005
    tie_band_usd: float = 0.0002
    prefer_locality: Locality | None = None
    min_success: Fraction | None = None
    else_: Literal["best"] | None = None
    max_cost_usd: float | None = None
    max_ttft_s: float | None = None
    max_duration_s: float | None = None
    local_only: bool = False
    regions: Names = ()
    data_policy: DataPolicy | None = None
    allow: Names = ()
    deny: Names = ()
    budget_mode: BudgetMode = "hard"
    log_prompts: bool = True
    default_ttft_s: float = 3.0
    default_itl_s: float = 0.03
    default_failure_rate: Fraction = 0.05
    default_input_usd_per_mtok: float = 5.0
    default_output_usd_per_mtok: float = 25.0

    @property
    def is_private(self) -> bool:
        """Whether it limits who may see a prompt by where it goes or what is done with it."""
        return self.local_only or self.data_policy is not None


@dataclass(frozen=True, slots=True)
class Budget:
    """A spending limit in USD per `day`, `week` or `month`."""

    usd: float
    per: Literal["day", "week", "month"] = "day"
    mode: BudgetMode = "hard"


@dataclass(frozen=True, slots=True)
class Scope:
    """An app or a user (exactly one is named) with its own strategy and limits."""

    app: Name | None = None
    user: Name | None = None
    strategy: Name | None = None
    budget: Budget | None = None
    log_prompts: bool | None = None

    @property
    def id(self) -> str:
        """`app:NAME` or `user:NAME`."""
        return f"app:{self.app}" if self.app is not None else f"user:{self.user}"


Collection = Literal["models", "endpoints", "roles", "tasks", "strategies", "scopes", "judged_rows"]
Record = Model | Endpoint | Role | TaskKind | Strategy | Scope | JudgedRow


@dataclass(frozen=True, slots=True)
class Registry:
    """A whole registry's content at one revision, each group sorted by id.

    The judged rows are left out where a request is routed.
    """

    revision: int
    models: tuple[Model, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    roles: tuple[Role, ...] = ()
    tasks: tuple[TaskKind, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    scopes: tuple[Scope, ...] = ()
    judged_rows: tuple[JudgedRow, ...] = ()
