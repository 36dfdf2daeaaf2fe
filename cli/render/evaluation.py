"""What an evaluation of the scorer says, as tables and words for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from rolecall.cli.render.chart import NAMED, PROMPTS, figure_lines
from rolecall.cli.render.output import (
    Column,
    console,
    one_line,
    print_folded,
    print_table,
    print_text,
)
from rolecall.registry.core.errors import RegistryError, UsageError
from rolecall.registry.core.formatting import usd

MOST_SINGLES = 8
SINGLE = "single:"
METHODS = ("ours", "nearest", "task means", "detected tasks", "one ability", "price order")
QUALITY = {
    "auc": "auc",
    "brier": "brier",
    "ece": "ece",
    "pair_order": "pair order",
    "model_rank": "rank",
}
UNKNOWN = "–"
_MOST_CHOSEN = 3
_FIGURES = (".svg", ".png")
_SHARES = ("90", "95", "99", "100")
_LEARNED_BY = {
    "other folds": "the baselines learned on the other folds",
    "train files": "the baselines learned on the files of --train",
    "cross-fitting": "the baselines were cross-fitted on these rows, in five parts by group",
}

DataSet = Mapping[str, Any]
Draw = Callable[[Path, Sequence[DataSet]], None]
Rows = list[list[str]]


def print_evaluation(evaluation: Mapping[str, Any], *, with_reliability: bool) -> None:
    """Print an evaluation, a data set after the other, and what comes of it."""
    sets = evaluation["sets"]
    quality = f"the value of a correct answer is {usd(evaluation['quality_usd'])}"
    print_text(f"{evaluation['scorer_version']} · {evaluation['strategy']}: {quality}")
    is_new = not any(one["cross_fitted"] for one in sets)
    told = "the scorer learned nothing here" if is_new else "your fits have seen prompts of these"
    print_folded(f"{_LEARNED_BY[evaluation['learned_by']]}; {told}")
    for one in sets:
        print_text("")
        _print_set(one, evaluation, with_reliability=with_reliability)
    if evaluation["by_prompts"] is not None:
        for name, words in (("by_prompts", "by its prompts"), ("by_set", "the same")):
            print_text("")
            _print_bold(f"all {len(sets)} sets, each counting {words}")
            print_table(*quality_table(evaluation[name]))
            print_table(*value_table(evaluation[name], evaluation["quality_usd"]))
    for skipped in evaluation["skipped"]:
        print_text(f"\nleft out: {one_line(skipped['dataset'])} {one_line(skipped['reason'])}")
    if len(sets) > 1:
        print_text("\nin short")
        for one in sets:
            _print_verdict(one)


def _print_set(one: DataSet, evaluation: Mapping[str, Any], *, with_reliability: bool) -> None:
    _print_bold(_coverage(one))
    for line in _caveats(one, seen_left_out=evaluation["seen_left_out"]):
        print_folded(line)
    print_text("")
    print_table(*policy_table(one))
    hidden = sum(policy["policy"].startswith(SINGLE) for policy in one["policies"]) - MOST_SINGLES
    if hidden > 0:
        print_text(f"  … and {hidden} more single models (--json has them)")
    print_folded(_policy_legend(one))
    print_folded(_chosen(one))
    print_text("")
    print_table(*quality_table(one["quality"]))
    print_folded(
        f"on {len(one['measured'])} models; auc: mean over models; pair order: how often the "
        "better of two models is predicted higher; rank: of models by mean success (Spearman)"
    )
    print_text("")
    print_table(*value_table(one["quality"], evaluation["quality_usd"]))
    if one["cost_at_quality"] is not None:
        _print_costs(one)
    if with_reliability:
        for model, quality in one["by_model"].items():
            print_text("")
            print_table(*reliability_table(model, quality))
    lines = figure_lines(one)
    if lines:
        print_text("\n" + "\n".join(lines))
    print_text("")
    _print_verdict(one)


def _coverage(one: DataSet) -> str:
    return (
        f"{one_line(one['dataset'])} · {one['cases']:,} of {one['prompts']:,} prompts, "
        f"{len(one['models'])} of {one['models_judged']} models"
    )


def _caveats(one: DataSet, *, seen_left_out: bool) -> Iterator[str]:
    """Yield what is missing in this data set and why, and what may be too good in it."""
    if one["seen"]:
        told = f"{one['seen']:,} of {one['prompts']:,} prompts were in this scorer's training data"
        if seen_left_out:
            yield f"{told}: left out (--include-seen keeps them)"
        else:
            yield f"{told} and are included: its figures here are too good"
    if one["cross_fitted"]:
        yield (
            f"your fits have seen {one['cross_fitted']:,} of these prompts: each is predicted by "
            "fits to other groups"
        )
    if one["shares"] is not None:
        shares = (f"{one_line(name)} {share:.0%}" for name, share in one["shares"].items())
        yield f"one workload: {', '.join(shares)}"
    if one["coverage"] < 1:
        yield (
            f"{int(100 * one['coverage'])}% of the answers were judged: success is estimated by "
            "inverse probability weights and an additive model of models and prompts (doubly "
            "robust); the oracle knows the models asked"
        )
    by_reason: dict[str, list[str]] = {}
    for left in one["left_out"]:
        by_reason.setdefault(left["reason"], []).append(one_line(left["model"]))
    for reason, models in by_reason.items():
        more = f" and {len(models) - 3} more" if len(models) > 3 else ""
        yield f"not chosen among, {reason}: {', '.join(models[:3])}{more}"
    if one["policies"][0]["cost_usd"] is None:
        yield "without costs: too few of these models have a price (--prices FILE)"


def policy_table(one: DataSet) -> tuple[list[Column], Rows]:
    """Return the policies' table: oracle, the methods, singles by success, cheapest, random."""
    titles = ("success", "cost", "per correct", "gain", "saving", "over mixes")
    columns = [Column("policy"), *(Column(title, is_number=True) for title in titles)]
    return columns, [_policy_row(one, policy) for policy in _ordered(one)]


def _ordered(one: DataSet) -> list[Mapping[str, Any]]:
    by_name = {policy["policy"]: policy for policy in one["policies"]}
    singles = [policy for name, policy in by_name.items() if name.startswith(SINGLE)]
    singles.sort(key=lambda policy: (-policy["success"], policy["policy"]))
    shown = singles[:MOST_SINGLES]
    named = by_name[f"{SINGLE}{one['verdict']['model']}"]
    if named not in shown:
        shown[-1] = named
    first = ("oracle", "ours", "ours, equal success", *METHODS[1:])
    return [
        *(by_name[name] for name in first if name in by_name),
        *shown,
        *(by_name[name] for name in ("cheapest", "random") if name in by_name),
    ]


def _policy_row(one: DataSet, policy: Mapping[str, Any]) -> list[str]:
    name = policy["policy"]
    model = name.removeprefix(SINGLE)
    is_named = name != model and model == one["verdict"]["model"]
    return [
        f"{one_line(model)} {NAMED}" if is_named else one_line(model),
        f"{policy['success']:.3f}",
        _per_1000(policy["cost_usd"]),
        _per_1000(policy["cost_per_success_usd"]),
        UNKNOWN if is_named else _points(policy["success_gain"]),
        UNKNOWN if is_named else _percent(policy["saving"]),
        _points(policy["over_mixtures"]),
    ]


def _policy_legend(one: DataSet) -> str:
    verdict = one["verdict"]
    legend = (
        f"{NAMED} {verdict['model']}: {verdict['rule']}; gain: points of success over it; over "
        "mixes: over any mix of single models of the same cost; ± half the 95 % interval"
    )
    if one["policies"][0]["cost_usd"] is None:
        return legend
    costs = "cost of 1,000 prompts, per correct of 1,000 correct answers"
    return f"{legend}; saving: % of its cost; {costs}"


def _chosen(one: DataSet) -> str:
    """Say which models our policy chose, and how often."""
    [ours] = [policy for policy in one["policies"] if policy["policy"] == "ours"]
    shares = sorted(ours["shares"].items(), key=lambda pair: (-pair[1], pair[0]))
    shares = [(model, share) for model, share in shares if share > 0]
    parts = [f"{one_line(model)} {share:.0%}" for model, share in shares[:_MOST_CHOSEN]]
    if len(shares) > _MOST_CHOSEN:
        rest = sum(share for _, share in shares[_MOST_CHOSEN:])
        parts.append(f"{len(shares) - _MOST_CHOSEN} others {rest:.0%}")
    return f"ours chose {', '.join(parts)}"


def quality_table(quality: Mapping[str, Any]) -> tuple[list[Column], Rows]:
    """Return how good each method's predictions are."""
    columns = [Column("predictions"), *(Column(one, is_number=True) for one in QUALITY.values())]
    return columns, [
        [name, *(_share(quality[name][key]) for key in QUALITY)]
        for name in METHODS
        if name in quality
    ]


def value_table(quality: Mapping[str, Any], quality_usd: float) -> tuple[list[Column], Rows]:
    """Return how much more our choices are worth than other methods', as points of success."""
    columns = [Column("value of ours over"), Column("points", is_number=True), Column("95 %")]
    per_point = quality_usd / 100 if quality_usd else 0.01

    def shown(amount: float) -> str:
        return f"{amount / per_point:+.2f}".replace("-", "−")

    over = {name: quality[name]["ours_over_usd"] for name in METHODS[1:] if name in quality}
    return columns, [
        [name, shown(one["mean"]), f"{shown(one['low'])} … {shown(one['high'])}"]
        for name, one in over.items()
    ]


def _print_costs(one: DataSet) -> None:
    print_text("")
    print_table(*cost_table(one))
    print_folded(
        f"first: cost of 1,000 prompts at that share of the success of {one['best_single']}, the "
        "most successful (– never); aiq: area under the hull of cost and success"
    )


def cost_table(one: DataSet) -> tuple[list[Column], Rows]:
    """Return what each share of the best single model's success costs, and AIQ."""
    titles = [*(f"{share} %" for share in _SHARES), "aiq"]
    columns = [Column("costs"), *(Column(title, is_number=True) for title in titles)]
    points, aiq = one["cost_at_quality"], one["aiq"]
    rows = [
        [name, *(_held(points[name].get(share)) for share in _SHARES), _three(aiq.get(name))]
        for name in METHODS
        if name in points
    ]
    best = _per_1000(points["best single"])
    rows.append(["best single", "", "", "", best, ""])
    for name in ("mixtures", "oracle"):
        rows.append([name, *[""] * len(_SHARES), _three(aiq.get(name))])
    return columns, rows


def _held(point: Mapping[str, Any] | None) -> str:
    return UNKNOWN if point is None else _per_1000(point["cost_usd"])


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


def _print_verdict(one: DataSet) -> None:
    _print_bold(f"{one_line(one['dataset'])}: {one_line(one['verdict']['text'])}")


def _print_bold(line: str) -> None:
    console().print(Text(line, style="bold"), soft_wrap=True)


def _per_1000(amount: float | None) -> str:
    return UNKNOWN if amount is None else usd(PROMPTS * amount)


def _three(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _share(interval: Mapping[str, float] | None) -> str:
    """Return a figure from -1 to 1 with half the width of its interval: .747 ±.025."""
    if interval is None:
        return UNKNOWN
    half = (interval["high"] - interval["low"]) / 2
    return f"{interval['mean']:.3f} ±{half:.3f}".replace("0.", ".")


def _points(interval: Mapping[str, float] | None) -> str:
    """Return a share as points with half the width of its interval."""
    if interval is None:
        return UNKNOWN
    return f"{100 * interval['mean']:+.1f} ±{50 * (interval['high'] - interval['low']):.1f}"


def _percent(interval: Mapping[str, float] | None) -> str:
    if interval is None:
        return UNKNOWN
    return f"{100 * interval['mean']:.0f} ±{50 * (interval['high'] - interval['low']):.0f}"


class PlotUnavailable(RegistryError):
    """The package that draws figures is not installed."""


def plotter(path: Path) -> Draw:
    """Return what draws a figure at `path`; raises UsageError and PlotUnavailable."""
    if path.suffix.lower() not in _FIGURES:
        raise UsageError(f"cannot plot as {path.name}", hint="name it .svg or .png")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"cannot plot to {path}: there is no such folder")
    try:
        from rolecall.cli.render.plot import write_plot
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "matplotlib":
            raise
        raise PlotUnavailable(
            "plotting needs matplotlib", hint='pip install "rolecall[plot]"'
        ) from error
    return write_plot
