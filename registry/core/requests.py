"""The frozen records of what is asked: a request as the decision reads it, and what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.text_tokens import TextTokens


@dataclass(frozen=True, slots=True)
class MediaSize:
    """What decides how many tokens an attachment costs; null where that is not known.

    An image has a width and a height in pixels, a PDF pages and the tokens of their text, sound
    and video seconds. `data_bytes` is the size of the file, null where it is behind a URL.
    """

    modality: str
    data_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    text: TextTokens | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat.

    Attachments are named by modality (`image`, `audio`, `pdf`); `sizes` are theirs, in that order.
    """

    role: str
    text: str
    attachments: tuple[str, ...] = ()
    sizes: tuple[MediaSize, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be answered, in the form the decision reads.

    `needs` and `prefers` are capabilities that the caller declared. `tool_names` and
    `tools_text` describe attached tools, as JSON, and `schema_text` an answer schema; `parameters`
    names the request parameters set. The first `history` messages were decided on before, in the
    same conversation. `input_tokens` is the caller's own count, else null. `files` names files
    read. `forms` and `cache_ttl` are those of `Chat`, `notes` say what of the request as given is
    left out.
    """

    messages: tuple[Message, ...]
    tool_names: tuple[str, ...] = ()
    tools_text: str = ""
    schema_text: str = ""
    parameters: tuple[str, ...] = ()
    history: int = 0
    needs: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    input_tokens: int | None = None
    max_tokens: int | None = None
    files: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    cache_ttl: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """What a request is: its kind, needs and size.

    `confidence` is 0–1, `detected_by` says what decided the kind, `difficulty` is 0–1 (the
    share of the scorer's training models expected to fail). `needs` pairs each required
    capability with why it is needed; `tools_required` says whether more than attached tools asks
    for `tools`. `input_tokens` is what is expected; `most_input_tokens` has the most that the
    families of tokenizers in `token_estimate` make of the input, null where that is not known, and
    is empty where the input is as long as declared. `worth` is what is at stake, as a factor on
    the strategy's `quality_usd`, and `worth_source` says what set it. `forms` and `cache_ttl` are
    those of `Chat`.
    """

    kind: str
    source: Literal["declared", "detected"]
    confidence: float
    detected_by: str
    needs: tuple[tuple[str, str], ...] = ()
    prefers: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ("text",)
    parameters: tuple[str, ...] = ()
    input_tokens: int = 0
    input_tokens_declared: bool = False
    most_input_tokens: tuple[int | None, ...] = ()
    cached_tokens: int = 0
    max_tokens: int | None = None
    uses_tools: bool = False
    tools_required: bool = False
    difficulty: float | None = None
    worth: float = 1.0
    worth_source: str = "default"
    forms: tuple[str, ...] = ()
    cache_ttl: str | None = None


@dataclass(frozen=True, slots=True)
class RoutingChoices:
    """What the person or program asked for beside the request itself.

    `endpoints` are globs that limit the registry, and so do `models`, each the id of a model or of
    an endpoint; `log_prompt` false keeps only the prompt's hash;
    with `allow_drop` endpoints are eligible that do not take all parameters. `needs`,
    `prefers` and the token counts say more of the request, and win over what it says. Raises
    UsageError for a `worth` that is no factor.
    """

    role: str | None = None
    strategy: str | None = None
    task: str | None = None
    app: str | None = None
    user: str | None = None
    conversation_id: str | None = None
    endpoints: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    local_only: bool = False
    max_cost_usd: float | None = None
    min_success: float | None = None
    worth: float | None = None
    log_prompt: bool = True
    allow_drop: bool = False
    needs: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    input_tokens: int | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.worth is not None and not (math.isfinite(self.worth) and self.worth > 0):
            raise UsageError(
                f"a worth is a finite number above 0, not {self.worth:g}",
                hint="a factor on the value of a correct answer: --worth 4",
            )

    def applied_to(self, request: Request) -> Request:
        """Return the request with what these choices say of it."""
        return replace(
            request,
            needs=request.needs + self.needs,
            prefers=request.prefers + self.prefers,
            input_tokens=request.input_tokens if self.input_tokens is None else self.input_tokens,
            max_tokens=request.max_tokens if self.max_tokens is None else self.max_tokens,
        )
