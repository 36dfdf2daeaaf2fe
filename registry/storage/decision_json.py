"""A decision as JSON text and back, exactly; the form in which decisions are stored.

Candidates are kept as rows under one list of field names, so that a decision over hundreds of
endpoints stays small. A field that an older document lacks takes its default; one that this
version does not know is passed over.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from rolecall.registry.core.decisions import Candidate, Decision, Exclusion
from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.predictions import SuccessParts
from rolecall.registry.core.requests import Task

Plain = dict[str, Any]
Values = list[Any]

_CANDIDATE_FIELDS = tuple(field.name for field in dataclasses.fields(Candidate))
_PARTS_FIELDS = tuple(field.name for field in dataclasses.fields(SuccessParts))
_TASK_FIELDS = tuple(field.name for field in dataclasses.fields(Task))
_STRATEGY_FIELDS = tuple(field.name for field in dataclasses.fields(Strategy))
_NESTED = ("task", "strategy", "candidates", "excluded", "prompt")
_FLAT_FIELDS = tuple(
    field.name for field in dataclasses.fields(Decision) if field.name not in _NESTED
)


def decision_to_json(decision: Decision) -> str:
    """Return everything but the prompt, which has a column of its own so it can be forgotten."""
    document: Plain = {name: getattr(decision, name) for name in _FLAT_FIELDS}
    document["task"] = {name: getattr(decision.task, name) for name in _TASK_FIELDS}
    document["strategy"] = _strategy_to_plain(decision.strategy)
    document["candidate_fields"] = _CANDIDATE_FIELDS
    document["candidates"] = [_candidate_to_values(c) for c in decision.candidates]
    document["excluded"] = [_exclusion_to_plain(e) for e in decision.excluded]
    return json.dumps(document, separators=(",", ":"))


def _strategy_to_plain(strategy: Strategy) -> Plain:
    plain = {name: getattr(strategy, name) for name in _STRATEGY_FIELDS}
    if strategy.data_policy is not None:
        plain["data_policy"] = {
            "trains_on_data": strategy.data_policy.trains_on_data,
            "retention_days": strategy.data_policy.retention_days,
        }
    return plain


def _candidate_to_values(candidate: Candidate) -> Values:
    values = [getattr(candidate, name) for name in _CANDIDATE_FIELDS]
    if candidate.parts is not None:
        parts = {name: getattr(candidate.parts, name) for name in _PARTS_FIELDS}
        values[_CANDIDATE_FIELDS.index("parts")] = parts
    return values


def _exclusion_to_plain(exclusion: Exclusion) -> Plain:
    plain: Plain = {
        "endpoint": exclusion.endpoint,
        "code": exclusion.code,
        "detail": exclusion.detail,
    }
    if exclusion.weighed is not None:
        plain["weighed"] = _candidate_to_values(exclusion.weighed)
    if exclusion.is_outside:
        plain["is_outside"] = True
    return plain


def decision_from_json(text: str, prompt: str | None) -> Decision:
    """Return the decision that `decision_to_json` wrote. Raises RegistryUnusable."""
    try:
        document = json.loads(text)
        return _decision(document, prompt)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RegistryUnusable(
            "a stored decision cannot be read back", hint="rolecall registry check"
        ) from error


def _decision(document: Plain, prompt: str | None) -> Decision:
    fields = tuple(document["candidate_fields"])
    flat = {name: _frozen(document[name]) for name in _FLAT_FIELDS if name in document}
    return Decision(
        **flat,
        task=Task(**_known(document["task"], _TASK_FIELDS)),
        strategy=_strategy(document["strategy"]),
        candidates=tuple(_candidate(fields, values) for values in document["candidates"]),
        excluded=tuple(_exclusion(fields, plain) for plain in document["excluded"]),
        prompt=prompt,
    )


def _strategy(plain: Plain) -> Strategy:
    known = _known(plain, _STRATEGY_FIELDS)
    if known.get("data_policy") is not None:
        known["data_policy"] = DataPolicy(
            known["data_policy"].get("trains_on_data"), known["data_policy"].get("retention_days")
        )
    return Strategy(**known)


def _candidate(fields: tuple[str, ...], values: Values) -> Candidate:
    if fields == _CANDIDATE_FIELDS and len(values) == len(fields):
        return Candidate(*(_value(v) if type(v) in (list, dict) else v for v in values))
    known = _known(dict(zip(fields, values, strict=True)), _CANDIDATE_FIELDS)
    return Candidate(**{name: _value(value) for name, value in known.items()})


def _value(value: Any) -> Any:
    """Return a candidate's value as its record holds it; parts are the only mapping there is."""
    if isinstance(value, dict):
        return SuccessParts(**_known(value, _PARTS_FIELDS))
    return _frozen(value)


def _exclusion(fields: tuple[str, ...], plain: Plain) -> Exclusion:
    weighed = plain.get("weighed")
    return Exclusion(
        endpoint=plain["endpoint"],
        code=plain["code"],
        detail=plain["detail"],
        weighed=None if weighed is None else _candidate(fields, weighed),
        is_outside="is_outside" in plain or _was_outside(plain["code"], plain["detail"]),
    )


def _was_outside(code: str, detail: str) -> bool:
    """Tell from the words of an older document, which has no `is_outside`, what it would be."""
    if code == "ROLE_NOT_ALLOWED":
        return detail.startswith("not assigned to ")
    return code == "POLICY_DENY_ENDPOINT" and "not named by --endpoint" in detail


def _known(plain: Plain, fields: tuple[str, ...]) -> Plain:
    return {name: _frozen(plain[name]) for name in fields if name in plain}


def _frozen(value: Any) -> Any:
    """Return JSON's lists as the tuples that records hold."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
