"""Add to a scorer's card how it fares: its figures beside baselines, robustness and sanity."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rolecall.registry.core.errors import RegistryError
from rolecall.registry.editing.open import open_starter
from rolecall.registry.evaluation.evaluate import EvalRequest, evaluate_scorer
from rolecall.registry.evaluation.plan import Selection
from rolecall.registry.evaluation.robustness import measure_files
from rolecall.registry.evaluation.robustness_report import RobustnessPlan
from rolecall.registry.evaluation.sanity import check_sanity
from rolecall.registry.learning.loading import RegistryAndScorer
from rolecall.registry.scorer.artifact import load_seen
from rolecall.registry.scorer.card import CARD_FILE, PRETRAINED, card
from rolecall.registry.scorer.encoder import embeddings_file
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.registry import read_registry

PROMPTS = 300
CACHE = Path(".training")


def complete_card(
    folder: Path, data: Sequence[Path], prompts: int = PROMPTS, cache: Path | None = None
) -> dict[str, Any]:
    """Measure the artifact in `folder` over the starter registry, and write it into its card.

    Flips are counted on prompts of the report fold. Embeddings in the folder `cache`, as
    training keeps them there, are not made again. Raises InvalidDocument for rows that are
    none, ScorerUnusable.
    """
    content, scorer = card(folder), Scorer.load(folder)
    fold = content["split"]["report_fold"]
    plan = RobustnessPlan(prompts=prompts, fold=fold, strategies=("balanced",))
    # The baselines learn from the other folds.
    request = EvalRequest(
        files=tuple(data),
        selection=Selection(fold=fold),
        embeddings=None if cache is None else embeddings_file(cache, folder),
    )
    with open_starter() as db:
        robustness = measure_files(db, data, plan, _report_nothing, scorer)
        sanity = check_sanity(db, scorer)
        known = RegistryAndScorer(read_registry(db), scorer)
        evaluation = evaluate_scorer(known, request, _report_nothing, load_seen(folder))
    content["figures"] = {
        "fold": fold,
        "by_set": {name: asdict(one) for name, one in (evaluation.by_set or {}).items()},
        "sets": {
            one.dataset: {
                "prompts": one.prompts,
                "models": one.models_judged,
                "quality": {name: asdict(each) for name, each in one.comparison.quality.items()},
                "verdict": asdict(one.comparison.verdict),
            }
            for one in evaluation.sets
        },
    }
    content["robustness"] = {"fold": fold, "pool": "starter", **asdict(robustness)}
    content["sanity"] = {"pool": "starter", **asdict(sanity)}
    fresh = folder / f"{CARD_FILE}.new"
    fresh.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(folder / CARD_FILE)
    return content


def _report_nothing(_done: int, _total: int) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the card of the folder named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="judged rows, files or folders")
    parser.add_argument("--artifact", type=Path, default=PRETRAINED, help="folder of the scorer")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where training keeps embeddings")
    chosen = parser.parse_args(arguments)
    try:
        content = complete_card(chosen.artifact, chosen.data, cache=chosen.cache)
    except RegistryError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        return int(error.exit_code)
    robustness, sanity = content["robustness"], content["sanity"]
    sys.stdout.write(
        f"balanced changes on {robustness['edits']['balanced']['share']:.1%} of edits and "
        f"{robustness['restatements']['balanced']['share']:.1%} of restatements; "
        f"{sanity['passed']} of {sanity['prompts']} prompts routed as the evidence says, the best "
        f"constant ({sanity['best_constant']}) {sanity['best_constant_passed']}\n"
    )
    for name, (passed, count) in sanity["by_group"].items():
        sys.stdout.write(f"  {name}: {passed} of {count}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
