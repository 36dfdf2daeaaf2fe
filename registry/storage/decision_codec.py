"""A decision as the two columns that hold what its other columns do not, and back, exactly.

`candidates` is JSON, an array of each figure that people ask for, in the order of the ranks;
`document` is all the rest, as compressed JSON. An array of one value holds that of all.
Endpoints and models are numbers in the table `names`. A field that a document lacks takes its
default; one that this version does not know is passed over.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from rolecall.registry.core.decisions import Candidate, Decision, Exclusion
from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.predictions import SuccessParts
from rolecall.registry.core.requests import Task
from rolecall.registry.storage.connection import storable

Plain = dict[str, Any]
Columns = dict[str, Any]

# The fields of a decision that have columns of their own.
FLAT = (
    *("id", "created_at", "prompt", "prompt_sha256", "role", "app", "user", "conversation_id"),
    *("chosen", "runner_up", "margin_usd", "registry_revision", "scorer_version", "elapsed_ms"),
)
_NESTED = ("task", "strategy", "candidates", "excluded", "fallbacks")
# Never null, so that the view `decision_candidates` finds each by its place, else at place 0.
_READABLE = (
    *("endpoint", "model", "value_usd", "success", "cost_usd"),
    *("output_tokens", "ttft_s", "itl_s"),
)
_NAMES = ("endpoint", "model")
# What most documents hold: stored ones cannot be read without it, so that it never changes.
_DICTIONARY = b"""\
"MEASURED_PROFILE_USED","DECLARED_PROFILE_USED","LOCAL_PREFERENCE_APPLIED","TASK_POLICY_APPLIED",\
"LOW_LATENCY_TARGET_MET","HIGH_QUALITY_TARGET_MET","CONTINUITY_AFFINITY_APPLIED",\
"CACHE_AFFINITY_APPLIED","TIE_BREAK_APPLIED","AUTH_UNAVAILABLE","ROLE_NOT_ALLOWED",\
"POLICY_DENY_ENDPOINT","POLICY_DENY_REMOTE","CAPABILITY_MISSING","CONTEXT_TOO_SMALL",\
"ENDPOINT_DISABLED"," is not set"],[,"not assigned to ","not named by --endpoint",\
["success","measured"],["price","default"],["ttft_s","measured"],["itl_s","measured"],\
["failure_rate","measured"],{"strategy_layers":["default: balanced"],"incumbent":null,\
"reasons":["BEST_TOTAL_SCORE","ROLE_POLICY_APPLIED","DEFAULT_PROFILE_USED",\
"BUDGET_OPTIMIZATION","FALLBACK_CHAIN_COMPUTED"],"notes":[],"task":{"kind":"code",\
"source":"detected","confidence":0.9,"detected_by":"wording","prefers":["reasoning"],\
"modalities":["text"],"input_tokens":19,"input_tokens_declared":false,"cached_tokens":0,\
"uses_tools":false,"difficulty":0.2,"worth":4.0,"worth_source":"role coder"},\
"strategy":{"id":"balanced","description":\
"weighs a correct answer (5 cents) against its cost and the wait","quality_usd":0.05,\
"ttft_usd_per_s":0.0005,"itl_usd_per_s":0.0005,"tie_band_usd":0.0002,"local_only":false,\
"budget_mode":"hard","log_prompts":true,"default_ttft_s":3.0,"default_itl_s":0.03,\
"default_failure_rate":0.05,"default_input_usd_per_mtok":5.0,"default_output_usd_per_mtok":25.0},\
"fallbacks":[1,"candidates":{"success_basis":["latent","scores","facts","latent","latent"],\
"success_std":[0.02,0.02,0.0,"input_tokens":[19],"cached_tokens":[0],"ttft_p95_s":[null],\
"failure_rate":[0.05],"samples":[null],"locality":["remote"],"preferred":[0],\
"sources":[[["success","scored"],["cost_usd","default"],["price","declared"],\
["input_tokens","scored"],["output_tokens","scored"],["ttft_s","default"],["itl_s","default"],\
["failure_rate","default"]]],"scored_success":[0.9,"outcomes":[0],"untimed_tokens":[0,0,0],\
"parts":{"task":["public_scores/"],"task_probability":[0.9],"average":[0.8,"prompt":[0.0,\
"local":[-0.0,"world":[0.0],"familiar":[1.0]}},"excluded":[],"weighed_at":[],"weighed":{}}"""


def names_in(decision: Decision) -> set[str]:
    """Return the names that the document has as numbers."""
    weighed = [one.weighed for one in decision.excluded if one.weighed is not None]
    scored = (*decision.candidates, *weighed)
    named = {name for one in scored for name in (one.endpoint, one.model)}
    return named.union(decision.fallbacks, (one.endpoint for one in decision.excluded))


def pack_decision(decision: Decision, numbers: Mapping[str, int]) -> tuple[str, bytes]:
    """Return the columns `candidates` and `document`; `numbers` are those of its names."""
    document: Plain = {
        name: value
        for name, value in _plain(decision).items()
        if name not in (*FLAT, *_NESTED) or (name != "prompt" and storable(value) != value)
    }
    document["task"] = _said(decision.task)
    document["strategy"] = _said(decision.strategy)
    document["fallbacks"] = [numbers[name] for name in decision.fallbacks]
    document["excluded"] = [
        (numbers[one.endpoint], one.code, one.detail, *([1] if one.is_outside else ()))
        for one in decision.excluded
    ]
    weighed = [(place, one.weighed) for place, one in enumerate(decision.excluded) if one.weighed]
    document["weighed_at"] = [place for place, _ in weighed]
    scored = (decision.candidates, [one for _, one in weighed])
    return pack(document, *(columns_of(_values(each), numbers) for each in scored))


def _values(candidates: Sequence[Candidate]) -> Columns:
    values = map(list, zip(*candidates, strict=True))
    columns: Columns = dict(zip(Candidate._fields, values, strict=bool(candidates)))
    if candidates:
        columns["parts"] = [parts and parts._asdict() for parts in columns["parts"]]
    return columns


def pack(document: Plain, candidates: Columns, weighed: Columns) -> tuple[str, bytes]:
    """Return the columns `candidates` and `document` of what is ready for JSON."""
    readable = {name: candidates.pop(name) for name in _READABLE if name in candidates}
    text = _compact({**document, "candidates": candidates, "weighed": weighed})
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=_DICTIONARY)
    return _compact(readable), packer.compress(text.encode()) + packer.flush()


def columns_of(values: Columns, numbers: Mapping[str, int]) -> Columns:
    """Return the values of candidates by field as they are stored, `parts` by its own fields."""
    columns: Columns = {}
    for name, found in values.items():
        if name == "parts":
            parts: Plain = next((one for one in found if one), {})
            columns[name] = {part: _shared([one and one[part] for one in found]) for part in parts}
        elif name in _NAMES:
            columns[name] = [numbers[one] for one in found]
        else:
            columns[name] = _shared(found)
    return columns


def _shared(values: list[Any]) -> list[Any]:
    first = values[0]
    if values.count(first) < len(values) or len(set(map(type, values))) > 1:
        return values
    if first == 0 and len(set(map(repr, values))) > 1:  # 0.0 and -0.0
        return values
    return [first]


def _plain(record: Any) -> Plain:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _said(record: Any) -> Plain:
    """Return a record's values but for those left at null or at nothing."""
    values = ((field, getattr(record, field.name)) for field in fields(record))
    return {
        field.name: value
        for field, value in values
        if value not in (None, ()) or value != field.default
    }


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=_said)


def unpack_decision(
    flat: Plain, candidates: str, document: bytes, names: Mapping[int, str]
) -> Decision:
    """Return the decision that `pack_decision` took apart. Raises RegistryUnusable."""
    try:
        return _decision(flat, unpack(candidates, document), names)
    except (zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RegistryUnusable(
            "a stored decision cannot be read back", hint="rolecall registry check"
        ) from error


def decision_to_plain(decision: Decision) -> Plain:
    """Return a decision as a mapping that JSON can hold, with the names that it has as numbers."""
    names = sorted(names_in(decision))
    numbers = {name: number for number, name in enumerate(names)}
    candidates, document = pack_decision(decision, numbers)
    packed = {"candidates": candidates, "document": base64.b64encode(document).decode()}
    return {**{name: getattr(decision, name) for name in FLAT}, **packed, "names": names}


def decision_from_plain(plain: Plain) -> Decision:
    """Return the decision that `decision_to_plain` took apart.

    Raises RegistryUnusable, and what reading a damaged mapping raises.
    """
    flat = {name: plain[name] for name in FLAT}
    if not all(isinstance(value, str | int | float | None) for value in flat.values()):
        raise TypeError("a column cannot hold that")
    if any(storable(name) != name for name in plain["names"]):
        raise ValueError("a name is no text")
    document = base64.b64decode(plain["document"])
    return unpack_decision(flat, plain["candidates"], document, dict(enumerate(plain["names"])))


def unpack(candidates: str, document: bytes) -> Plain:
    """Return the document that `pack` was given, with `candidates` and `weighed`."""
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=_DICTIONARY)
    plain: Plain = json.loads(unpacker.decompress(document))
    plain["candidates"] |= json.loads(candidates)
    return plain


def _decision(flat: Plain, plain: Plain, names: Mapping[int, str]) -> Decision:
    candidates = _candidates(plain["candidates"], names)
    nested = dict(zip(plain["weighed_at"], _candidates(plain["weighed"], names), strict=True))
    strategy = _known(Strategy, plain["strategy"])
    if strategy.get("data_policy") is not None:
        strategy["data_policy"] = DataPolicy(**_known(DataPolicy, strategy["data_policy"]))
    own = {
        "task": Task(**_known(Task, plain["task"])),
        "strategy": Strategy(**strategy),
        "candidates": candidates,
        "excluded": tuple(
            Exclusion(names[number], code, detail, nested.get(place), is_outside=bool(outside))
            for place, (number, code, detail, *outside) in enumerate(plain["excluded"])
        ),
        "fallbacks": tuple(names[number] for number in plain["fallbacks"]),
    }
    return Decision(**{**flat, **_known(Decision, plain), **own})


def _candidates(columns: Columns, names: Mapping[int, str]) -> tuple[Candidate, ...]:
    count = len(columns.get("endpoint", ()))
    known = _known(Candidate, columns)
    if "parts" in known:
        known["parts"] = _parts(columns["parts"], count)
    for name in _NAMES if count else ():
        known[name] = [names[number] for number in known[name]]
    rows = zip(*(_spread(values, count) for values in known.values()), strict=True)
    return tuple(Candidate(**dict(zip(known, row, strict=True))) for row in rows)


def _parts(columns: Columns, count: int) -> list[SuccessParts | None]:
    known = _known(SuccessParts, columns)
    rows = zip(*(_spread(values, count) for values in known.values()), strict=True)
    parts = [dict(zip(known, row, strict=True)) for row in rows]
    found = [SuccessParts(**one) if one["task"] is not None else None for one in parts]
    return [*found] or [None]


def _spread(values: Sequence[Any], count: int) -> Sequence[Any]:
    return [*values] * count if len(values) == 1 else values


def _known(kind: Any, plain: Plain) -> Plain:
    """Return what of `plain` a kind of record, a dataclass or a named tuple, has fields for."""
    return {name: _frozen(plain[name]) for name in kind.__match_args__ if name in plain}


def _frozen(value: Any) -> Any:
    """Return JSON's lists as the tuples that records hold."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
