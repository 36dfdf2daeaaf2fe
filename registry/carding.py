"""Add to a scorer's card what takes all of rolecall to measure: steadiness and everyday sense."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rolecall.registry.errors import RegistryError
from rolecall.registry.everyday import agreement_by_kind, measure_agreement
from rolecall.registry.flip_counts import ARGMAX, Trial
from rolecall.registry.robustness import measure_files
from rolecall.registry.scorer.card import CARD_FILE, PRETRAINED, card
from rolecall.registry.scorer.plain import STEADYING, PlainScorer
from rolecall.registry.scorer.predict import Scorer

STRATEGY = "balanced"
PROMPTS = 300


def complete_card(folder: Path, data: Sequence[Path], prompts: int = PROMPTS) -> dict[str, Any]:
    """Measure the artifact in `folder` over the starter pool, and write it into its card.

    Flips are counted on prompts of the report fold. Raises InvalidDocument for rows that are
    none, ScorerUnusable.
    """
    content = card(folder)
    scorer = Scorer.load(folder)
    fold = content["split"]["report_fold"]
    with tempfile.TemporaryDirectory() as name:
        nothing = Path(name, "nothing.db")
        trial = Trial(prompts=prompts, fold=fold)
        found = measure_files(nothing, data, trial, scorer=scorer)
        only = replace(trial, strategies=(STRATEGY,))
        without = {
            part: measure_files(nothing, data, only, scorer=PlainScorer(scorer, (part,)))
            for part in STEADYING
        }
        plain = measure_files(nothing, data, only, scorer=PlainScorer(scorer))
        verdicts = measure_agreement(nothing, scorer, strategy=STRATEGY)
    content["steady"] = {"fold": fold, "pool": "starter", **found.to_dict()}
    content["steady"]["without"] = {
        part: asdict(one.flips[STRATEGY]) for part, one in without.items()
    }
    # Without any of it, and by the highest value without the near-tie rule.
    content["steady"]["plain_argmax"] = asdict(plain.flips[ARGMAX])
    content["everyday"] = {
        "strategy": STRATEGY,
        "pool": "starter",
        "prompts": len(verdicts),
        "agreed": sum(one.because is None for one in verdicts),
        "by_kind": agreement_by_kind(verdicts),
        "otherwise": [
            {"need": one.expectation.need, "chosen": one.chosen, "because": one.because}
            | {"prompt": one.expectation.prompt[-120:]}
            for one in verdicts
            if one.because is not None
        ],
    }
    fresh = folder / f"{CARD_FILE}.new"
    fresh.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(folder / CARD_FILE)
    return content


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the card of the folder named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="judged rows, files or folders")
    parser.add_argument("--artifact", type=Path, default=PRETRAINED, help="folder of the scorer")
    chosen = parser.parse_args(arguments)
    try:
        content = complete_card(chosen.artifact, chosen.data)
    except RegistryError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        return int(error.exit_code)
    flips = content["steady"]["flips"][STRATEGY]["share"]
    everyday = content["everyday"]
    sys.stdout.write(
        f"{STRATEGY} flips on {flips:.1%} of changed prompts; "
        f"{everyday['agreed']} of {everyday['prompts']} everyday prompts as expected\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
