"""What an evaluation compares, on which prompts, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.errors import ExitCode, InvalidDocument, UnknownRecord, UsageError
from rolecall.registry.proving import Evaluation, Wanted, prove_scorer
from rolecall.registry.proving_plan import Narrowed, NothingToProve
from rolecall.registry.records import Pool, Price, Strategy
from tests.registry.worlds import ALIKE, PRICES, Seer, install, known, rows, write_rows

POOL = Pool(1, strategies=(Strategy("balanced"), Strategy("lavish", quality_usd=1.0)))
PRICED = {model: Price(one, other, source="test") for model, (one, other) in PRICES.items()}


@pytest.fixture(autouse=True)
def seer(monkeypatch: pytest.MonkeyPatch) -> Seer:
    return install(monkeypatch)


def evaluate(*files: Path, pool: Pool = POOL, **wanted: Any) -> Evaluation:
    narrowed = {name: wanted.pop(name) for name in ("fold", "dataset", "models") if name in wanted}
    asked = Wanted(files=files, **{"prices": PRICED, **wanted})
    return prove_scorer(
        known(pool), replace(asked, narrowed=Narrowed(**narrowed)), lambda _a, _b: None
    )


def test_models_good_at_different_things_are_worth_routing_between(tmp_path: Path) -> None:
    [segment] = evaluate(write_rows(tmp_path / "a.jsonl", rows(240))).segments
    assert segment.proof.verdict.route
    assert segment.proof.best_single == "middling"
    policies = {one.policy: one for one in segment.proof.policies}
    assert policies["ours"].success > policies["single:middling"].success + 0.1
    assert (segment.prompts, segment.models_judged, segment.left_out) == (240, 3, ())


def test_where_one_model_is_best_at_everything_routing_is_not_advised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, Seer(ALIKE))
    [segment] = evaluate(write_rows(tmp_path / "a.jsonl", rows(240, ALIKE))).segments
    assert not segment.proof.verdict.route
    assert segment.proof.verdict.text.startswith("don't: use middling")


def test_every_prompt_is_read_once_however_many_plans_need_it(seer: Seer, tmp_path: Path) -> None:
    twice = [*rows(40, dataset="one"), *rows(40, dataset="two")]
    told: list[tuple[int, int]] = []
    wanted = Wanted(files=(write_rows(tmp_path / "a.jsonl", twice),), prices=PRICED)
    found = prove_scorer(known(POOL), wanted, lambda done, total: told.append((done, total)))
    assert [segment.dataset for segment in found.segments] == ["one", "two"]
    assert len(seer.read_prompts) == len(set(seer.read_prompts)) == 40
    assert told == [(number, 40) for number in range(1, 41)]


def test_a_model_judged_too_seldom_is_left_out_and_named(tmp_path: Path) -> None:
    made = rows(50)
    for row in made[: 50 * 3 // 10]:
        del row["scores"]["lyra"]
    del made[-1]["scores"]["abacus"]
    [segment] = evaluate(write_rows(tmp_path / "a.jsonl", made)).segments
    assert segment.proof.models == ("abacus", "middling")
    [lyra] = segment.left_out
    assert (lyra.model, lyra.reason) == ("lyra", "judged on less than 80 % of the prompts")
    assert (segment.proof.cases, segment.prompts, segment.models_judged) == (49, 50, 3)


def test_a_fold_is_judged_by_baselines_that_learned_on_the_others(tmp_path: Path) -> None:
    found = evaluate(write_rows(tmp_path / "a.jsonl", rows(100)), fold=3)
    [segment] = found.segments
    assert (found.learned_by, segment.proof.cases, segment.learned) == ("other folds", 20, 80)


def test_what_other_folds_teach_is_what_the_baselines_say(tmp_path: Path) -> None:
    """In fold 3 the skills are swapped: who learned there would do well there."""
    made = rows(200)
    for row in made:
        if row["fold"] == 3:
            row["scores"] |= {"abacus": row["scores"]["lyra"], "lyra": row["scores"]["abacus"]}
    [segment] = evaluate(
        write_rows(tmp_path / "a.jsonl", made), fold=3, models=("abacus", "lyra")
    ).segments
    policies = {one.policy: one.success for one in segment.proof.policies}
    assert policies["task means"] < 0.3
    assert policies["nearest"] < 0.3


def test_a_prompt_among_the_cases_teaches_nothing_from_a_train_file(tmp_path: Path) -> None:
    cases = write_rows(tmp_path / "cases.jsonl", rows(40))
    train = write_rows(tmp_path / "train.jsonl", [*rows(40), *rows(60, seed=2)])
    found = evaluate(cases, train=(train,))
    assert (found.learned_by, found.segments[0].learned) == ("train files", 60)


def test_without_fold_or_train_the_baselines_are_cross_fitted(tmp_path: Path) -> None:
    found = evaluate(write_rows(tmp_path / "a.jsonl", rows(60)))
    assert (found.learned_by, found.segments[0].learned) == ("cross-fitting", 60)


def test_the_same_rows_give_the_same_json(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(60))
    assert evaluate(path).to_dict() == evaluate(path).to_dict()


def test_cases_that_the_shipped_scorer_learned_from_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"data": {"sets": [{"set": "world"}]}, "split": {"train_folds": [0, 1], "tune_fold": 2}}
    monkeypatch.setattr("rolecall.registry.proving.card", lambda: told)
    made = [*rows(50), *rows(50, dataset="elsewhere")]
    found = evaluate(write_rows(tmp_path / "a.jsonl", made))
    assert [segment.seen for segment in found.segments] == [30, 0]


def test_a_right_answer_is_worth_what_the_strategy_or_the_person_says(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(40))
    assert evaluate(path).quality_usd == 0.05
    assert evaluate(path, strategy="lavish").segments[0].proof.quality_usd == 1.0
    assert evaluate(path, strategy="lavish", quality_usd=0.2).quality_usd == 0.2
    assert evaluate(path, pool=Pool(1)).strategy == "balanced"


@pytest.mark.parametrize("worth", [float("nan"), float("inf"), -1.0])
def test_a_worth_that_is_no_amount_is_refused(tmp_path: Path, worth: float) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(10))
    with pytest.raises(UsageError, match="cannot be worth"):
        evaluate(path, quality_usd=worth)


def test_one_model_leaves_nothing_to_route(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "solo.jsonl", rows(10, {"abacus": (0.5, 0.5)}))
    with pytest.raises(NothingToProve) as caught:
        evaluate(path)
    assert caught.value.message == "world judges one model only (abacus): there is nothing to route"
    assert caught.value.hint is not None
    assert caught.value.exit_code == ExitCode.OTHER


def test_a_data_set_with_nothing_to_route_is_told_beside_the_others(tmp_path: Path) -> None:
    made = [*rows(40), *rows(10, {"abacus": (0.5, 0.5)}, dataset="solo")]
    found = evaluate(write_rows(tmp_path / "a.jsonl", made))
    assert [segment.dataset for segment in found.segments] == ["world"]
    [skipped] = found.skipped
    assert (skipped.dataset, skipped.reason) == ("solo", "judges one model only (abacus)")


def test_models_judged_on_different_prompts_leave_no_case(tmp_path: Path) -> None:
    made = rows(30, {"abacus": (0.5, 0.5)}) + rows(30, {"lyra": (0.5, 0.5)}, seed=2)
    with pytest.raises(NothingToProve, match="fewer than two models that were judged on 80 %"):
        evaluate(write_rows(tmp_path / "a.jsonl", made))


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
    with pytest.raises(NothingToProve, match="the baselines can learn nothing"):
        evaluate(cases, train=(train,))


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"strategy": "lavsh"}, "lavsh"),
        ({"dataset": "wrld"}, "wrld"),
        ({"models": ("abacus", "lyre")}, "lyre"),
    ],
)
def test_a_name_that_is_nowhere_is_refused(
    tmp_path: Path, wanted: dict[str, Any], named: str
) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(10))
    with pytest.raises(UnknownRecord, match=named) as caught:
        evaluate(path, **wanted)
    assert caught.value.hint


def test_a_pool_of_one_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(10))
    with pytest.raises(UsageError, match="abacus alone"):
        evaluate(path, models=("abacus", "abacus"))


def test_the_pool_can_be_narrowed(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(30))
    [segment] = evaluate(path, models=("middling", "abacus")).segments
    assert segment.proof.models == ("abacus", "middling")


def test_bad_lines_are_refused_or_left_out_and_spelled_out(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [*rows(30), {"prompt": "x", "scores": {"a": 2}}])
    with pytest.raises(InvalidDocument, match="31"):
        evaluate(path)
    found = evaluate(path, skip_bad=True)
    assert found.bad_lines is not None
    assert "31" in found.bad_lines
