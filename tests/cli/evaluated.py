"""A data set's evaluation as `scorer eval --json` tells it, made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Pair = tuple[float, float]  # cost in USD per prompt, success

SINGLES = {"small": (0.0001, 0.4), "middle": (0.001, 0.41), "large": (0.01, 0.8)}
CURVES = {
    "ours": [(0.0001, 0.45), (0.001, 0.7), (0.008, 0.82)],
    "nearest": [(0.0001, 0.42), (0.001, 0.65), (0.009, 0.81)],
    "task means": [(0.0001, 0.41), (0.001, 0.6), (0.0095, 0.805)],
}


def segment(
    singles: Mapping[str, Pair] = SINGLES,
    curves: Mapping[str, Sequence[Pair]] = CURVES,
    *,
    dataset: str = "world",
    verdict: str = "route: saves 41 % (35–47) at equal success",
) -> dict[str, Any]:
    """Return what the figures are drawn from."""
    # The cheapest, and what is as good as the best: no one else in these examples stands out.
    outline = [min(singles.values()), max(singles.values(), key=lambda pair: pair[1])]
    drawn: dict[str, Any] = {
        method: [{"cost_usd": cost, "success": success} for cost, success in points]
        for method, points in curves.items()
    }
    drawn["mixtures"] = [{"cost_usd": cost, "success": success} for cost, success in outline]
    return {
        "dataset": dataset,
        "cases": 1234,
        "policies": [{"policy": "oracle", "cost_usd": 0.0004, "success": 0.95}],
        "curves": drawn,
        "singles": {
            model: {"cost_usd": cost, "success": success}
            for model, (cost, success) in singles.items()
        },
        "verdict": {"text": verdict, "model": max(singles, key=lambda model: singles[model][1])},
    }
