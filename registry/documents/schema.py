"""The keys of each record in a registry document, in their fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import Node

from rolecall.registry.core.effort import LEVELS
from rolecall.registry.core.entities import (
    Api,
    Assignment,
    Budget,
    Collection,
    DataPolicy,
    Endpoint,
    Model,
    Price,
    Profile,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.judged_rows import JudgedAnswer, JudgedRow
from rolecall.registry.documents.fields import (
    Choice,
    ChoiceOrWhole,
    Flag,
    Fractions,
    Key,
    Listed,
    Nested,
    Number,
    Shape,
    Text,
    Whole,
    Words,
    date_problem,
    name_problem,
    prompt_problem,
    url_problem,
    variable_problem,
)
from rolecall.registry.documents.source import YamlSource, is_null

_NAME = Text(name_problem)
_NAMES = Words(_NAME)
_MAYBE_NAME = Text(name_problem, optional=True)
_MAYBE_TEXT = Text(optional=True)
_MAYBE_DATE = Text(date_problem, optional=True)
_MAYBE_TOKENS = Whole(low=1)
_MAYBE_MONEY = Number(optional=True)
_MAYBE_SECONDS = Number(optional=True)
_MAYBE_WORTH = Number(above=True, optional=True)
_MAYBE_CHANCE = Number(0.0, 1.0, optional=True)
_LOCALITIES = ("local", "remote")
_BUDGET_MODES = ("hard", "advisory")
_EXAMPLES = Words(Text(), repeats=True)

_DATA_POLICY = Shape(
    DataPolicy,
    (Key("trains_on_data", Flag(optional=True)), Key("retention_days", Whole(low=0))),
)

_PRICE = Shape(
    Price,
    (
        Key("input_usd_per_mtok", _MAYBE_MONEY),
        Key("output_usd_per_mtok", _MAYBE_MONEY),
        Key("cache_read_usd_per_mtok", _MAYBE_MONEY),
        Key("cache_write_usd_per_mtok", _MAYBE_MONEY),
        Key("source", _MAYBE_TEXT),
        Key("as_of", _MAYBE_DATE),
    ),
)

_PROFILE = Shape(
    Profile,
    (
        Key("ttft_s", _MAYBE_SECONDS),
        Key("ttft_p95_s", _MAYBE_SECONDS),
        Key("itl_s", _MAYBE_SECONDS),
        Key("failure_rate", _MAYBE_CHANCE),
        Key("success", Fractions()),
        Key("samples", Whole(low=0)),
        Key("as_of", _MAYBE_DATE),
    ),
)

_MODEL = Shape(
    Model,
    (
        Key("id", _NAME, required=True),
        Key("family", _MAYBE_TEXT),
        Key("capabilities", _NAMES),
        Key("modalities", _NAMES),
        Key("context_tokens", _MAYBE_TOKENS),
        Key("max_output_tokens", _MAYBE_TOKENS),
        Key("benchmarks", Fractions()),
        Key("parameters_b", Number(optional=True)),
        Key("open_weights", Flag(optional=True)),
        Key("release_date", _MAYBE_DATE),
        Key("source", _MAYBE_TEXT),
        Key("as_of", _MAYBE_DATE),
    ),
)


def _endpoint(**values: Any) -> Endpoint:
    """Return the endpoint with what its API and its place make obvious filled in."""
    endpoint = completed(Endpoint(**values))
    if "locality" not in values and is_this_machine(endpoint.base_url):
        endpoint = completed(Endpoint(**values, locality="local"))
    return endpoint


def is_this_machine(base_url: str) -> bool:
    """Whether a URL points at the machine it is read on."""
    return urlsplit(base_url).hostname in ("localhost", "127.0.0.1", "::1")


_ENDPOINT = Shape(
    _endpoint,
    (
        Key("id", _NAME, required=True),
        Key("model", _NAME, required=True),
        Key("api", Choice(("openai", "anthropic", "gemini", "ollama"))),
        Key("base_url", Text(url_problem)),
        Key("remote_model", Text()),
        Key("key_env", Text(variable_problem, optional=True)),
        Key("key_command", _MAYBE_TEXT),
        Key("locality", Choice(_LOCALITIES)),
        Key("region", _MAYBE_NAME),
        Key("data_policy", Nested(_DATA_POLICY, blank=DataPolicy())),
        Key("quantization", _MAYBE_TEXT),
        Key("reasoning_effort", ChoiceOrWhole(LEVELS, "a number of tokens")),
        Key("context_tokens", _MAYBE_TOKENS),
        Key("max_output_tokens", _MAYBE_TOKENS),
        Key("unsupported_parameters", _NAMES),
        Key("price", Nested(_PRICE)),
        Key("profile", Nested(_PROFILE)),
        Key("status", Choice(("active", "disabled"))),
    ),
)

_ASSIGNMENT = Shape(
    Assignment,
    (
        Key("endpoint", _NAME, required=True),
        Key("status", Choice(("active", "inactive", "disabled"))),
        Key("tasks", _NAMES),
        Key("capabilities", _NAMES),
    ),
)

_ROLE = Shape(
    Role,
    (
        Key("id", _NAME, required=True),
        Key("description", Text()),
        Key("tasks", _NAMES),
        Key("require", _NAMES),
        Key("prefer", _NAMES),
        Key("forbid", _NAMES),
        Key("strategy", _MAYBE_NAME),
        Key("worth", _MAYBE_WORTH),
        Key("examples", _EXAMPLES),
        Key("assignments", Listed(_ASSIGNMENT, "endpoint")),
    ),
)

_TASK = Shape(
    TaskKind,
    (
        Key("id", _NAME, required=True),
        Key("description", Text()),
        Key("require", _NAMES),
        Key("prefer", _NAMES),
        Key("roles", _NAMES),
        Key("worth", _MAYBE_WORTH),
        Key("examples", _EXAMPLES),
    ),
)

_STRATEGY = Shape(
    Strategy,
    (
        Key("id", _NAME, required=True),
        Key("description", Text()),
        Key("quality_usd", Number()),
        Key("ttft_usd_per_s", Number()),
        Key("itl_usd_per_s", Number()),
        Key("tie_band_usd", Number()),
        Key("prefer_locality", Choice(_LOCALITIES, optional=True)),
        Key("min_success", _MAYBE_CHANCE),
        Key("max_cost_usd", _MAYBE_MONEY),
        Key("max_ttft_s", _MAYBE_SECONDS),
        Key("max_duration_s", _MAYBE_SECONDS),
        Key("local_only", Flag()),
        Key("regions", _NAMES),
        Key("data_policy", Nested(_DATA_POLICY)),
        Key("allow", _NAMES),
        Key("deny", _NAMES),
        Key("budget_mode", Choice(_BUDGET_MODES)),
        Key("log_prompts", Flag()),
        Key("default_ttft_s", Number()),
        Key("default_itl_s", Number()),
        Key("default_failure_rate", Number(0.0, 1.0)),
        Key("default_input_usd_per_mtok", Number()),
        Key("default_output_usd_per_mtok", Number()),
    ),
)


def _app_or_user(source: YamlSource, node: Node, path: str, given: Mapping[str, Node]) -> None:
    named = [key for key in ("app", "user") if key in given and not is_null(given[key])]
    if len(named) != 1:
        raise source.refusal(node, path, "a scope names either an app or a user")


_BUDGET = Shape(
    Budget,
    (
        Key("usd", Number(), required=True),
        Key("per", Choice(("day", "week", "month"))),
        Key("mode", Choice(_BUDGET_MODES)),
    ),
)

_SCOPE = Shape(
    Scope,
    (
        Key("app", _MAYBE_NAME),
        Key("user", _MAYBE_NAME),
        Key("strategy", _MAYBE_NAME),
        Key("budget", Nested(_BUDGET)),
        Key("log_prompts", Flag(optional=True)),
    ),
    check=_app_or_user,
)

_JUDGED_ANSWER = Shape(
    JudgedAnswer,
    (
        Key("model", _NAME, required=True),
        Key("score", Number(0.0, 1.0), required=True),
        Key("samples", Whole(low=1, optional=False)),
        Key("output_tokens", Number(optional=True)),
    ),
)

_JUDGED_ROW = Shape(
    JudgedRow,
    (
        Key("prompt", Text(prompt_problem), required=True),
        Key("task", Text()),
        Key("group", _MAYBE_TEXT),
        Key("answers", Listed(_JUDGED_ANSWER, "model"), required=True),
        Key("added_at", Text()),
        Key("source", Text()),
    ),
)

SHAPES: dict[Collection, Shape] = {
    "models": _MODEL,
    "endpoints": _ENDPOINT,
    "roles": _ROLE,
    "tasks": _TASK,
    "strategies": _STRATEGY,
    "scopes": _SCOPE,
    "judged_rows": _JUDGED_ROW,
}


BASE_URLS: dict[Api, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "ollama": "http://localhost:11434",
}


def completed(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with an empty base URL or remote model name filled in."""
    return replace(
        endpoint,
        base_url=endpoint.base_url or BASE_URLS[endpoint.api],
        remote_model=endpoint.remote_model or endpoint.model,
    )
