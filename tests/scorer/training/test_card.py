from __future__ import annotations

from rolecall.registry.scorer.training.card import kinds_of, sets_marked


def test_a_task_is_of_the_kind_whose_name_it_begins_with_longest() -> None:
    tasks = ["mmlu_pro/math", "mmlu_pro/law", "zoonk/translation/lesson", "reasoning_gym/code/bf"]
    assert kinds_of(tasks) == dict(
        zip(tasks, ["math", "knowledge", "translation", "code"], strict=True)
    )
    assert kinds_of(["somewhere/else", "mmlu_project/math"]) == {}


def test_the_sets_whose_tokens_are_counted_by_servers_are_named() -> None:
    assert sets_marked("tokens", "counted") == ["routerarena_sub10", "medagents", "zoonk"]
