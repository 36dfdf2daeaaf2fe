"""What an evaluation of the scorer says, as tables and words for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from rolecall.cli.curves import BEST, PROMPTS, figure_lines, short_usd
from rolecall.cli.output import Column, console, one_line, print_table, print_text

MOST_SINGLES = 8
SINGLE = "single:"
METHODS = ("ours", "nearest", "task means")
UNKNOWN = "–"
_MOST_CHOSEN = 3
_SHARES = ("90", "95", "99", "100")
_LEARNED_BY = {
    "other folds": "the baselines learned on the other folds",
    "train files": "the baselines learned on the files of --train",
    "cross-fitting": "the baselines were cross-fitted on these rows, in five parts by group",
}

Segment = Mapping[str, Any]
Rows = list[list[str]]


def print_evaluation(evaluation: Mapping[str, Any], *, with_reliability: bool) -> None:
    """Print an evaluation, a segment after the other, and what comes of it."""
    segments = evaluation["segments"]
    quality = f"a right answer is worth ${evaluation['quality_usd']:g}"
    print_text(f"{evaluation['scorer_version']} · {evaluation['strategy']}: {quality}")
    _print_folded(f"{_LEARNED_BY[evaluation['learned_by']]}; the scorer learned nothing here")
    for segment in segments:
        print_text("")
        _print_segment(segment, with_reliability=with_reliability)
    for skipped in evaluation["skipped"]:
        print_text(f"\nleft out: {one_line(skipped['dataset'])} {one_line(skipped['reason'])}")
    if len(segments) > 1:
        print_text("\nin short")
        for segment in segments:
            _print_verdict(segment)


def _print_segment(segment: Segment, *, with_reliability: bool) -> None:
    _print_bold(_coverage(segment))
    for line in _caveats(segment):
        _print_folded(line)
    print_text("")
    print_table(*policy_table(segment))
    hidden = _count_singles(segment) - MOST_SINGLES
    if hidden > 0:
        print_text(f"  … and {hidden} more single models (--json has them)")
    _print_folded(_policy_legend(segment))
    _print_folded(_chosen(segment))
    print_text("")
    print_table(*quality_table(segment))
    _print_folded("auc is the mean over models; worst ece is that of one model")
    if segment["cost_to_hold"] is not None:
        _print_costs(segment)
    if with_reliability:
        _print_reliability(segment)
    lines = figure_lines(segment)
    if lines:
        print_text("\n" + "\n".join(lines))
    print_text("")
    _print_verdict(segment)


def _coverage(segment: Segment) -> str:
    return (
        f"{one_line(segment['dataset'])} · {segment['cases']:,} of {segment['prompts']:,} prompts, "
        f"{len(segment['models'])} of {segment['models_judged']} models"
    )


def _caveats(segment: Segment) -> Iterator[str]:
    """Yield what is missing in this segment and why, and what may be too good in it."""
    by_reason: dict[str, list[str]] = {}
    for one in segment["left_out"]:
        by_reason.setdefault(one["reason"], []).append(one_line(one["model"]))
    for reason, models in by_reason.items():
        more = f" and {len(models) - 3} more" if len(models) > 3 else ""
        yield f"left out, {reason}: {', '.join(models[:3])}{more}"
    if segment["policies"][0]["cost_usd"] is None:
        yield "without costs: too few of these models have a price (--prices FILE)"
    if segment["seen"]:
        yield (
            f"the scorer learned from the folds of {segment['seen']:,} of these prompts: "
            "its figures here are too good"
        )


def policy_table(segment: Segment) -> tuple[list[Column], Rows]:
    """Return the policies' table: oracle, the methods, singles by success, cheapest, random."""
    columns = [
        Column("policy"),
        Column("success", is_number=True),
        Column("cost", is_number=True),
        Column("per right", is_number=True),
        Column("regret", is_number=True),
        Column("gain", is_number=True),
        Column("saving", is_number=True),
    ]
    return columns, [_policy_row(segment, one) for one in _ordered(segment["policies"])]


def _ordered(policies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_name = {one["policy"]: one for one in policies}
    singles = [one for name, one in by_name.items() if name.startswith(SINGLE)]
    singles.sort(key=lambda one: (-one["success"], one["policy"]))
    first = [by_name[name] for name in ("oracle", *METHODS) if name in by_name]
    last = [by_name[name] for name in ("cheapest", "random") if name in by_name]
    return [*first, *singles[:MOST_SINGLES], *last]


def _policy_row(segment: Segment, policy: Mapping[str, Any]) -> list[str]:
    name = policy["policy"]
    model = name.removeprefix(SINGLE)
    is_best = name != model and model == segment["best_single"]
    return [
        f"{one_line(model)} {BEST}" if is_best else one_line(model),
        f"{policy['success']:.3f}",
        _per_1000(policy["cost_usd"]),
        _per_1000(policy["cost_per_success_usd"]),
        _per_1000(policy["regret_usd"]),
        UNKNOWN if is_best else _spread(policy["success_gain"], sign="+"),
        UNKNOWN if is_best else _spread(policy["saving"]),
    ]


def _policy_legend(segment: Segment) -> str:
    legend = f"{BEST} the best single model; gain: points of success over it"
    if segment["policies"][0]["cost_usd"] is None:
        return f"{legend}, ± half the 95 % interval; regret: in $ per 1,000 prompts"
    return (
        f"{legend}, saving: % of its cost, ± half the 95 % interval; cost, regret (to the oracle) "
        "in $ per 1,000 prompts, per right in $ per 1,000 right answers"
    )


def _chosen(segment: Segment) -> str:
    """Say which models our policy chose, and how often."""
    [ours] = [one for one in segment["policies"] if one["policy"] == "ours"]
    shares = sorted(ours["shares"].items(), key=lambda pair: (-pair[1], pair[0]))
    shares = [(model, share) for model, share in shares if share > 0]
    parts = [f"{one_line(model)} {share:.0%}" for model, share in shares[:_MOST_CHOSEN]]
    if len(shares) > _MOST_CHOSEN:
        rest = sum(share for _, share in shares[_MOST_CHOSEN:])
        parts.append(f"{len(shares) - _MOST_CHOSEN} others {rest:.0%}")
    return f"ours chose {', '.join(parts)}"


def quality_table(segment: Segment) -> tuple[list[Column], Rows]:
    """Return how good each method's predictions are."""
    columns = [Column("predictions"), *(Column(name, is_number=True) for name in _QUALITY)]
    columns += [Column("worst ece", is_number=True), Column("model")]
    return columns, [
        [name, *(_three(quality[key]) for key in _QUALITY), *_worst(quality)]
        for name, quality in _by_method(segment["quality"])
    ]


_QUALITY = ("auc", "brier", "ece")


def _worst(quality: Mapping[str, Any]) -> tuple[str, str]:
    model, worst = max(quality["by_model"].items(), key=lambda pair: pair[1]["ece"])
    return f"{worst['ece']:.3f}", one_line(model)


def _print_costs(segment: Segment) -> None:
    print_text("")
    print_table(*cost_table(segment))
    two = segment["two_models"]
    text = (
        f"first: $ per 1,000 prompts to hold that share of the success of {segment['best_single']}"
        " (– never); aiq: area under the hull of cost and success"
    )
    if two is not None:
        text += f"; apgr, cpt: between {two['strong']} and {two['weak']} alone"
    _print_folded(text)


def cost_table(segment: Segment) -> tuple[list[Column], Rows]:
    """Return what holding the best single model's success costs, AIQ, and the two-model figures."""
    titles = [*(f"{share} %" for share in _SHARES), "aiq", "apgr", "cpt50", "cpt80"]
    columns = [Column("costs"), *(Column(title, is_number=True) for title in titles)]
    rows = []
    hold, aiq, two = segment["cost_to_hold"], segment["aiq"] or {}, segment["two_models"] or {}
    for name in METHODS:
        if name in hold:
            costs = [_held(hold[name].get(share)) for share in _SHARES]
            pairs = [_three(two.get(key, {}).get(name)) for key in ("apgr", "cpt50", "cpt80")]
            rows.append([name, *costs, _three(aiq.get(name)), *pairs])
    fixed = ["", "", "", _per_1000(hold["best single"])]
    rows.append(["best single", *fixed, "", "", "", ""])
    for name in ("singles hull", "oracle"):
        rows.append([name, *[""] * 4, _three(aiq.get(name)), "", "", ""])
    return columns, rows


def _held(point: Mapping[str, Any] | None) -> str:
    return UNKNOWN if point is None else _per_1000(point["cost_usd"])


def _print_reliability(segment: Segment) -> None:
    for model, quality in segment["quality"]["ours"]["by_model"].items():
        print_text("")
        print_table(*reliability_table(model, quality))


def reliability_table(model: str, quality: Mapping[str, Any]) -> tuple[list[Column], Rows]:
    """Return how often one model was right where the scorer said how likely that was."""
    columns = [
        Column("predicted", is_number=True),
        Column("observed", is_number=True),
        Column("prompts", is_number=True),
        Column(f"{one_line(model)}, ece {quality['ece']:.3f}"),
    ]
    return columns, [
        [_three(one["predicted"]), _three(one["observed"]), f"{one['count']:,}", _apart(one)]
        for one in quality["reliability"]
    ]


def _apart(one: Mapping[str, Any]) -> str:
    """Return a bar of how far the observed success is off, a sign for each two points."""
    difference = float(one["observed"] - one["predicted"])
    return ("+" if difference > 0 else "-") * round(abs(difference) / 0.02)


def _print_verdict(segment: Segment) -> None:
    _print_bold(f"{one_line(segment['dataset'])}: {one_line(segment['verdict']['text'])}")


def _print_bold(line: str) -> None:
    console().print(Text(line, style="bold"), soft_wrap=True)


def _print_folded(text: str) -> None:
    for line in textwrap.wrap(one_line(text), 80, break_on_hyphens=False, break_long_words=False):
        print_text(line)


def _by_method(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, tables[name]) for name in METHODS if name in tables)


def _count_singles(segment: Segment) -> int:
    return sum(one["policy"].startswith(SINGLE) for one in segment["policies"])


def _per_1000(usd: float | None) -> str:
    return UNKNOWN if usd is None else short_usd(PROMPTS * usd)


def _three(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _spread(interval: Mapping[str, float] | None, *, sign: str = "") -> str:
    """Return a share as percent (or points) with half the width of its interval."""
    if interval is None:
        return UNKNOWN
    half = 50 * (interval["high"] - interval["low"])
    if sign:
        return f"{100 * interval['mean']:+.1f} ±{half:.1f}"
    return f"{100 * interval['mean']:.0f} ±{half:.0f}"
