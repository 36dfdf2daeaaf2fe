"""What an evaluation compares, on which prompts, and what it refuses."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rolecall.registry.core.entities import Price, Registry, Strategy
from rolecall.registry.core.errors import UsageError
from rolecall.registry.evaluation.evaluate import EvalRequest, Evaluation, evaluate_scorer
from rolecall.registry.evaluation.plan import NothingToEvaluate, Selection, read_shares
from rolecall.registry.scorer.artifact import prompt_key
from tests.evaluation.worlds import ALIKE, MODELS, PRICES, Seer, install, known, rows, write_rows

POOL = Registry(1, strategies=(Strategy("balanced"), Strategy("lavish", quality_usd=1.0)))
PRICED = {model: Price(one, other, source="test") for model, (one, other) in PRICES.items()}


@pytest.fixture(autouse=True)
def seer(monkeypatch: pytest.MonkeyPatch) -> Seer:
    return install(monkeypatch)


NARROWING = ("fold", "dataset", "models", "mixed", "shares", "include_seen")


def evaluate(
    *files: Path, pool: Registry = POOL, seen: Collection[int] = (), **asked: Any
) -> Evaluation:
    selection = Selection(**{name: asked.pop(name) for name in NARROWING if name in asked})
    request = EvalRequest(files=files, selection=selection, **{"prices": PRICED, **asked})
    return evaluate_scorer(known(pool), request, lambda _a, _b: None, seen)


def test_models_good_at_different_things_are_worth_routing_between(tmp_path: Path) -> None:
    [one] = evaluate(write_rows(tmp_path / "a.jsonl", rows(240))).sets
    assert one.comparison.verdict.route
    assert one.comparison.best_single == "middling"
    policies = {each.policy: each for each in one.comparison.policies}
    assert policies["ours"].success > policies["single:middling"].success + 0.1
    assert (one.prompts, one.models_judged, one.left_out) == (240, 3, ())


def test_where_one_model_is_best_at_everything_routing_is_not_advised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, Seer(ALIKE))
    [one] = evaluate(write_rows(tmp_path / "a.jsonl", rows(240, ALIKE))).sets
    assert not one.comparison.verdict.route
    assert one.comparison.verdict.text.startswith("don't: use middling")


def test_every_prompt_is_read_once_however_many_plans_need_it(seer: Seer, tmp_path: Path) -> None:
    twice = [*rows(40, dataset="one"), *rows(40, dataset="two")]
    told: list[tuple[int, int]] = []
    request = EvalRequest(files=(write_rows(tmp_path / "a.jsonl", twice),), prices=PRICED)
    found = evaluate_scorer(known(POOL), request, lambda done, total: told.append((done, total)))
    assert [one.dataset for one in found.sets] == ["one", "two"]
    assert len(seer.read_prompts) == len(set(seer.read_prompts)) == 40
    assert told == [(number, 40) for number in range(1, 41)]


def test_a_model_asked_too_seldom_is_left_out_and_named(tmp_path: Path) -> None:
    made = rows(60)
    for row in made[9:]:
        del row["scores"]["lyra"]
    [one] = evaluate(write_rows(tmp_path / "a.jsonl", made)).sets
    assert one.comparison.models == ("abacus", "middling")
    [lyra] = one.left_out
    assert lyra.model == "lyra"
    assert lyra.reason.startswith("asked on less than 20% of the prompts")
    assert (one.comparison.cases, one.prompts, one.models_judged) == (60, 60, 3)


def test_answers_that_were_not_asked_for_cost_no_prompt(tmp_path: Path) -> None:
    made = rows(300)
    rng = Random(3)
    for row in made[:90]:
        del row["scores"][rng.choice(MODELS)]
    rng.shuffle(made)
    [one] = evaluate(write_rows(tmp_path / "a.jsonl", made)).sets
    assert (one.comparison.cases, len(one.comparison.models)) == (300, 3)
    assert one.comparison.coverage == pytest.approx(0.9)
    assert one.comparison.verdict.route
    policies = {each.policy: each for each in one.comparison.policies}
    assert policies["ours"].success == pytest.approx(0.95, abs=0.03)
    assert policies["single:lyra"].success == pytest.approx(0.525, abs=0.06)


def test_a_fold_is_judged_by_baselines_that_learned_on_the_others(tmp_path: Path) -> None:
    found = evaluate(write_rows(tmp_path / "a.jsonl", rows(100)), fold=3)
    [one] = found.sets
    assert (found.learned_by, one.comparison.cases, one.learned) == ("other folds", 20, 80)


def test_what_other_folds_teach_is_what_the_baselines_say(tmp_path: Path) -> None:
    """In fold 3 the skills are swapped: who learned there would do well there."""
    made = rows(200)
    for row in made:
        if row["fold"] == 3:
            row["scores"] |= {"abacus": row["scores"]["lyra"], "lyra": row["scores"]["abacus"]}
    [one] = evaluate(write_rows(tmp_path / "a.jsonl", made), fold=3, models=("abacus", "lyra")).sets
    policies = {each.policy: each.success for each in one.comparison.policies}
    assert policies["task means"] < 0.3
    assert policies["nearest"] < 0.3


def test_a_prompt_among_the_cases_teaches_nothing_from_a_train_file(tmp_path: Path) -> None:
    cases = write_rows(tmp_path / "cases.jsonl", rows(40))
    train = write_rows(tmp_path / "train.jsonl", [*rows(40), *rows(60, seed=2)])
    found = evaluate(cases, train=(train,))
    assert (found.learned_by, found.sets[0].learned) == ("train files", 60)


def test_prompts_that_the_scorer_learned_from_are_left_out_unless_asked_for(
    tmp_path: Path,
) -> None:
    made = rows(60)
    path = write_rows(tmp_path / "a.jsonl", made)
    seen = {prompt_key(row["prompt"]) for row in made[:20]}
    found = evaluate(path, seen=seen)
    assert (found.sets[0].seen, found.sets[0].comparison.cases, found.seen_left_out) == (
        20,
        40,
        True,
    )
    kept = evaluate(path, seen=seen, include_seen=True)
    assert (kept.sets[0].seen, kept.sets[0].comparison.cases, kept.seen_left_out) == (20, 60, False)
    with pytest.raises(NothingToEvaluate, match="no prompt that this scorer has not learned from"):
        evaluate(path, seen={prompt_key(row["prompt"]) for row in made})


def test_sets_are_averaged_by_their_prompts_and_each_the_same(tmp_path: Path) -> None:
    other = rows(60, ALIKE, seed=2, dataset="other")
    found = evaluate(write_rows(tmp_path / "a.jsonl", [*rows(240), *other]))
    first, second = (one.comparison for one in found.sets)
    assert found.by_prompts is not None
    assert found.by_set is not None
    for means, share in ((found.by_prompts, 0.8), (found.by_set, 0.5)):
        for method, metric in (("ours", "brier"), ("price order", "ours_over_usd")):
            told = [getattr(one.quality[method], metric) for one in (first, second)]
            mean = getattr(means[method], metric)
            assert mean.mean == pytest.approx(share * told[0].mean + (1 - share) * told[1].mean)
            assert mean.low < mean.mean < mean.high
            assert mean.high - mean.low < max(one.high - one.low for one in told)
    assert evaluate(write_rows(tmp_path / "b.jsonl", rows(60))).by_set is None


def test_constant_baselines_stand_beside_ours(tmp_path: Path) -> None:
    [one] = evaluate(write_rows(tmp_path / "a.jsonl", rows(240))).sets
    quality = one.comparison.quality
    assert set(quality) == {
        "ours", "nearest", "task means", "detected tasks", "one ability", "price order",
    }  # fmt: skip
    for method in ("one ability", "price order"):
        [policy] = [each for each in one.comparison.policies if each.policy == method]
        assert max(policy.shares.values()) > 0.99
        assert quality[method].auc is not None
        assert quality[method].auc.mean == 0.5  # type: ignore[union-attr]
    order = {name: found.pair_order.mean for name, found in quality.items() if found.pair_order}
    assert order["ours"] > 0.85 > order["one ability"]
    over = quality["one ability"].ours_over_usd
    assert over is not None
    assert over.low > 0


def test_the_value_of_a_correct_answer_is_what_the_strategy_or_the_person_says(
    tmp_path: Path,
) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(40))
    assert evaluate(path).quality_usd == 0.05
    assert evaluate(path, strategy="lavish").sets[0].comparison.quality_usd == 1.0
    assert evaluate(path, strategy="lavish", quality_usd=0.2).quality_usd == 0.2
    assert evaluate(path, pool=Registry(1)).strategy == "balanced"


def test_models_judged_on_different_prompts_leave_no_case(tmp_path: Path) -> None:
    made = rows(30, {"abacus": (0.5, 0.5)}) + rows(30, {"lyra": (0.5, 0.5)}, seed=2)
    with pytest.raises(NothingToEvaluate, match="no prompt on which two of its models"):
        evaluate(write_rows(tmp_path / "a.jsonl", made))


def test_a_mixed_workload_gives_each_set_its_share(tmp_path: Path) -> None:
    """Each model is the best of its own set, and both together are worth routing between."""
    sums = rows(200, {"abacus": (0.9, 0.9), "lyra": (0.2, 0.2)}, dataset="sums")
    poems = rows(50, {"abacus": (0.2, 0.2), "lyra": (0.9, 0.9), "extra": (1, 1)}, seed=2)
    path = write_rows(tmp_path / "a.jsonl", [*sums, *(row | {"dataset": "poems"} for row in poems)])
    [even] = evaluate(path, mixed=True).sets
    assert even.dataset == "sums + poems"
    assert even.shares == pytest.approx({"sums": 0.5, "poems": 0.5})
    assert even.comparison.models == ("abacus", "lyra")
    assert [left.model for left in even.left_out] == ["extra"]
    success = {each.policy: each.success for each in even.comparison.policies}
    assert success["single:abacus"] == pytest.approx(0.55, abs=0.08)
    assert success["task means"] < success["oracle"]
    [tilted] = evaluate(path, mixed=True, shares={"poems": 9}).sets
    assert tilted.shares == pytest.approx({"sums": 0.1, "poems": 0.9})
    assert tilted.comparison.best_single == "lyra"
    found = [each.success for each in tilted.comparison.policies if each.policy == "single:abacus"]
    assert found == [pytest.approx(0.27, abs=0.08)]


def test_models_of_a_mixed_workload_are_judged_in_each_set(tmp_path: Path) -> None:
    one = rows(40, {"abacus": (0.5, 0.5), "lyra": (0.5, 0.5)}, dataset="one")
    other = rows(40, {"abacus": (0.5, 0.5), "extra": (0.5, 0.5)}, dataset="other")
    with pytest.raises(
        NothingToEvaluate, match="one \\+ other has fewer than two models"
    ) as caught:
        evaluate(write_rows(tmp_path / "a.jsonl", [*one, *other]), mixed=True)
    assert caught.value.hint == "bring rows that judge two models or more on the same prompts"
    third = rows(40, {"abacus": (0.5, 0.5), "lyra": (0.5, 0.5)}, seed=3, dataset="third")
    with pytest.raises(NothingToEvaluate) as caught:
        evaluate(write_rows(tmp_path / "b.jsonl", [*one, *other, *third]), mixed=True)
    assert caught.value.hint == "take sets that judge the same models, as one, third do"


def test_shares_are_read_from_words() -> None:
    assert read_shares(None, mixed=False) == read_shares(None, mixed=True) == {}
    assert read_shares("chat=3, my=set=0.5", mixed=True) == {"chat": 3.0, "my=set": 0.5}
    for text in ("chat", "chat=", "=2", "chat=0", "chat=-1", "chat=inf", "chat=two", "a=1,,"):
        with pytest.raises(UsageError, match="cannot read the share"):
            read_shares(text, mixed=True)
    with pytest.raises(UsageError, match="without --mixed"):
        read_shares("chat=3", mixed=False)


def test_a_fold_without_rows_names_those_with_some(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no row is in fold 9") as caught:
        evaluate(write_rows(tmp_path / "a.jsonl", rows(10)), fold=9)
    assert caught.value.hint == "there are rows in folds 0, 1, 2, 3, 4"


def test_a_fold_with_every_row_leaves_nothing_to_learn_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="every row is in fold 0"):
        evaluate(write_rows(tmp_path / "a.jsonl", rows(10, fold=0)), fold=0)


def test_a_train_file_about_other_models_teaches_nothing(tmp_path: Path) -> None:
    cases = write_rows(tmp_path / "a.jsonl", rows(30))
    train = write_rows(tmp_path / "b.jsonl", rows(30, {"other": (0.5, 0.5)}, seed=2))
    with pytest.raises(NothingToEvaluate, match="the baselines can learn nothing"):
        evaluate(cases, train=(train,))
