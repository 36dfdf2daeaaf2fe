"""A decision as one JSON object, and as the words that explain it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rolecall.registry.core.decisions import Candidate, Decision, Exclusion, Flip
from rolecall.registry.core.entities import Strategy
from rolecall.registry.core.formatting import usd
from rolecall.registry.core.telemetry import Call
from rolecall.registry.routing.rules import ranking
from rolecall.registry.routing.rules.eligibility import outside
from rolecall.registry.routing.rules.exploration import UNTIMED_TRIED
from rolecall.registry.routing.rules.what_if import flips


def describe_decision(decision: Decision) -> dict[str, Any]:
    """Return the documented object that `route --json` and `explain --json` print.

    Money in USD, times in seconds; what is unknown is null. Keys are only ever added.
    """
    return {
        "decision_id": decision.id,
        "created_at": decision.created_at,
        "task": _task(decision),
        "role": decision.role,
        "strategy": decision.strategy.id,
        "strategy_layers": list(decision.strategy_layers),
        "strategy_values": _strategy_values(decision.strategy),
        "worth": _worth(decision),
        "app": decision.app,
        "user": decision.user,
        "conversation_id": decision.conversation_id,
        "incumbent": decision.incumbent,
        "chosen": decision.chosen,
        "runner_up": decision.runner_up,
        "margin_usd": decision.margin_usd,
        "reasons": list(decision.reasons),
        "candidates": [
            _candidate(candidate, rank) for rank, candidate in enumerate(decision.candidates, 1)
        ],
        "excluded": [_exclusion(exclusion) for exclusion in decision.excluded],
        "fallbacks": list(decision.fallbacks),
        "flips": [asdict(flip) for flip in decision_flips(decision)],
        "notes": list(decision.notes),
        "prompt_sha256": decision.prompt_sha256,
        "registry_revision": decision.registry_revision,
        "scorer_version": decision.scorer_version,
        "elapsed_ms": decision.elapsed_ms,
    }


def describe_calls(calls: Sequence[Call]) -> dict[str, Any]:
    """Return what `explain --json` says besides: who answered last, and every attempt in order."""
    answered = [one.endpoint for one in calls if is_answer(one)]
    return {
        "answered_by": answered[-1] if answered else None,
        "calls": [
            {
                "call_id": one.id,
                "endpoint": one.endpoint,
                "attempt": one.attempt,
                "error_type": one.error_type,
                "status_code": one.status_code,
                "finished_at": one.finished_at,
            }
            for one in calls
        ],
    }


def calls_in_words(calls: Sequence[Call]) -> str | None:
    """Say who was asked and who answered; null where one call gave the answer, or none was made."""
    if not calls or (len(calls) == 1 and is_answer(calls[0])):
        return None
    told = [f"{one.endpoint} {_ending(one)}" for one in calls]
    times = [(text, len(list(same))) for text, same in groupby(told)]
    return ", ".join(text + (f" ({count} times)" if count > 1 else "") for text, count in times)


def is_answer(call: Call) -> bool:
    """Tell whether a call ended with a whole answer."""
    return call.finished_at is not None and call.error_type is None


def _ending(call: Call) -> str:
    if is_answer(call):
        return "answered"
    if call.finished_at is None:
        return "was asked: no end is recorded"
    status = "" if call.status_code is None else f" {call.status_code}"
    return f"failed: {call.error_type}{status}"


def decision_flips(decision: Decision) -> tuple[Flip, ...]:
    """Return what would flip the choice, from the decision's own numbers alone.

    An endpoint that was tried because it was never timed was not chosen by these numbers.
    """
    if UNTIMED_TRIED in decision.reasons:
        return ()
    return flips(
        decision.candidates,
        decision.excluded,
        decision.strategy,
        decision.incumbent,
        decision.task.worth,
    )


def grouped_exclusions(
    decision: Decision,
) -> tuple[dict[str, list[Exclusion]], dict[str, int]]:
    """Return each excluded endpoint with all that speaks against it, and why others are left out.

    The others are endpoints that nobody asked for, counted by reason: not the role's, or not
    named by --endpoint.
    """
    left_out = outside(decision.excluded)
    groups: dict[str, list[Exclusion]] = {}
    for exclusion in decision.excluded:
        if exclusion.endpoint not in left_out:
            groups.setdefault(exclusion.endpoint, []).append(exclusion)
    return groups, dict(Counter(left_out.values()))


def is_below_floor(decision: Decision) -> bool:
    """Tell whether the choice does not reach the success floor, and `else` let it through."""
    return ranking.is_below_floor(decision.candidates, decision.strategy)


def worth_in_words(decision: Decision) -> str:
    """Return the value of a correct answer and how it comes about."""
    task, strategy = decision.task, decision.strategy
    total = f"{usd(task.worth * strategy.quality_usd)} a correct answer"
    if task.worth_source == "default":
        return f"{total} ({strategy.id})"
    factor = f"{task.worth:g} ({task.worth_source})"
    return f"{total}: {factor} × {usd(strategy.quality_usd)} ({strategy.id})"


def why_chosen(decision: Decision) -> tuple[str, ...]:
    """Return the reasons for the choice as short phrases, the weightiest first."""
    if not decision.candidates:
        return ("nothing is eligible",)
    best = decision.candidates[0]
    phrases = [phrase for code, phrase in _PHRASES.items() if code in decision.reasons]
    if is_below_floor(decision):
        phrases.insert(0, "the most likely correct, as none reaches the success floor")
    if "ROLE_POLICY_APPLIED" in decision.reasons and decision.role:
        phrases.append(f"{decision.role}'s rules applied")
    phrases.append(_evidence(best))
    if best.outcomes and best.scored_success is not None:
        outcomes = f"{best.outcomes:,} outcome{'' if best.outcomes == 1 else 's'}"
        moved = f"from {best.scored_success:.2f} to {best.success:.2f}"
        phrases.append(f"{outcomes} moved its success {moved}")
    return tuple(phrases)


_PHRASES = {
    "BEST_TOTAL_SCORE": "highest value",
    UNTIMED_TRIED: "never timed, and tried once",
    "TIE_BREAK_APPLIED": "a near-tie, broken by the tie rule",
    "CONTINUITY_AFFINITY_APPLIED": "already answering in this conversation",
    "LOCAL_PREFERENCE_APPLIED": "the preferred locality",
    "CACHE_AFFINITY_APPLIED": "part of the input is cached there",
    "BUDGET_OPTIMIZATION": "more expensive endpoints are not worth the extra cost",
    "HIGH_QUALITY_TARGET_MET": "reaches the success floor",
    "LOW_LATENCY_TARGET_MET": "within the time limit",
    "TASK_POLICY_APPLIED": "the task's rules applied",
}


def _evidence(candidate: Candidate) -> str:
    sources = dict(candidate.sources)
    if candidate.samples:
        return f"measured on {candidate.samples:,} call{'' if candidate.samples == 1 else 's'}"
    if sources.get("success") == "declared":
        return "success as declared"
    if candidate.success_basis in ("scores", "facts"):
        return "success known only from the model's facts"
    return "speed not measured yet" if sources.get("ttft_s") == "default" else "speed as declared"


def _task(decision: Decision) -> dict[str, Any]:
    task = decision.task
    return {
        "kind": task.kind,
        "needs": [name for name, _ in task.needs],
        "needs_because": dict(task.needs),
        "prefers": list(task.prefers),
        "modalities": list(task.modalities),
        "parameters": list(task.parameters),
        "input_tokens": task.input_tokens,
        "max_tokens": task.max_tokens,
        "difficulty": task.difficulty,
        "source": task.source,
        "detected_by": task.detected_by,
        "confidence": task.confidence,
    }


def _worth(decision: Decision) -> dict[str, Any]:
    """Return what is at stake; `usd` is the value of a correct answer under the strategy."""
    task = decision.task
    usd = task.worth * decision.strategy.quality_usd
    return {"factor": task.worth, "source": task.worth_source, "usd": usd}


def _strategy_values(strategy: Strategy) -> dict[str, Any]:
    values = {name.removesuffix("_"): value for name, value in asdict(strategy).items()}
    del values["id"], values["description"]
    return values


def _candidate(candidate: Candidate, rank: int) -> dict[str, Any]:
    plain = {"endpoint": candidate.endpoint, "model": candidate.model, "rank": rank}
    plain |= candidate._asdict()
    plain["sources"] = dict(candidate.sources)
    plain["parts"] = candidate.parts and candidate.parts._asdict()
    plain["duration_s"] = candidate.duration_s
    return plain


def _exclusion(exclusion: Exclusion) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "endpoint": exclusion.endpoint,
        "code": exclusion.code,
        "detail": exclusion.detail,
    }
    if exclusion.weighed is not None:
        plain["weighed"] = _candidate(exclusion.weighed, 0)
    return plain
