"""Where prices come from, and what an evaluation makes of models without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.entities import Endpoint, Price, PriceTier, Registry
from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.evaluation.evaluate import EvalRequest, SetEvaluation, evaluate_scorer
from rolecall.registry.evaluation.prices import find_prices, read_prices
from tests.evaluation.worlds import install, known, rows, write_rows


def serving(model: str, *prices: tuple[float | None, float | None]) -> Registry:
    endpoints = [
        Endpoint(f"place-{number}/{model}", model, price=Price(*pair))
        for number, pair in enumerate(prices)
    ]
    return Registry(1, endpoints=tuple(endpoints))


def test_a_file_names_both_prices_of_each_model() -> None:
    text = "a/b: {input_usd_per_mtok: 0.25, output_usd_per_mtok: 1.25}\n"
    assert read_prices(text, "prices.yaml") == {"a/b": Price(0.25, 1.25, source="prices.yaml")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 3\n", "p.yaml:1: a: expected input and output price, found a number"),
        ("a: {input_usd_per_mtok: 1}\n", "p.yaml:1: a: output_usd_per_mtok is missing"),
        (
            "a: {input_usd_per_mtok: 1, output_usd_per_mtok: -2}\n",
            "p.yaml:1: a.output_usd_per_mtok: -2 is out of range: at least 0, and finite",
        ),
        (
            "a:\n  input_usd_per_mtok: 1\n  output_usd_per_mtok: 2\n  cache: 3\n",
            "p.yaml:4: a.cache: unknown key",
        ),
        (
            "a: &one {input_usd_per_mtok: 1, output_usd_per_mtok: 2}\na: *one\n",
            "p.yaml:2: a: this key is given twice",
        ),
    ],
)
def test_a_bad_price_is_named_by_file_and_line(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_prices(text, "p.yaml")
    assert caught.value.message == message


def test_the_given_price_wins_over_the_registry_and_that_over_models_dev() -> None:
    model = "claude-3-haiku-20240307"
    given = {model: Price(9.0, 9.0, source="p.yaml")}
    pool = serving(model, (1.0, 2.0))
    assert find_prices([model], given, pool) == given
    [registered] = find_prices([model], {}, pool).values()
    assert registered == Price(1.0, 2.0, source="registry")
    [listed] = find_prices([model], {}, Registry(1)).values()
    assert listed is not None
    assert (listed.source, listed.output_usd_per_mtok) == ("models.dev", 1.25)


def test_the_registry_says_the_median_of_what_is_wholly_known() -> None:
    pool = serving("m", (1.0, 2.0), (3.0, 8.0), (2.0, 4.0), (None, 100.0))
    assert find_prices(["m"], {}, pool) == {"m": Price(2.0, 4.0, source="registry")}


def test_the_registrys_tiers_are_kept_where_its_prices_agree() -> None:
    tiers, pool = (PriceTier(200_000, 4.0, 18.0),), serving("m", (2.0, 12.0), (2.0, 12.0))
    [first, second] = pool.endpoints
    tiered = replace(first, price=Price(2.0, 12.0, tiers=tiers, as_of="2026-11-01"))
    pool = replace(pool, endpoints=(tiered, second))
    assert find_prices(["m"], {}, pool) == {"m": Price(2.0, 12.0, tiers=tiers, source="registry")}


def test_a_local_endpoint_without_a_price_asks_nothing_unless_another_says_more() -> None:
    local = Endpoint("here/m", "m", locality="local")
    alone = Registry(1, endpoints=(local,))
    assert find_prices(["m"], {}, alone) == {"m": Price(0.0, 0.0, source="registry")}
    priced = serving("m", (2.0, 12.0))
    both = replace(priced, endpoints=(local, *priced.endpoints))
    assert find_prices(["m"], {}, both) == {"m": Price(2.0, 12.0, source="registry")}
    remote = Registry(1, endpoints=(replace(local, locality="remote"),))
    assert find_prices(["m"], {}, remote) == {"m": None}


def test_a_variant_has_its_models_price_unless_it_has_its_own() -> None:
    pool, own = serving("m", (1.0, 2.0)), Price(3.0, 4.0, source="p.yaml")
    found = find_prices(["m-high", "x/M:none", "m-low", "n-high"], {"m-low": own}, pool)
    registered = Price(1.0, 2.0, source="registry")
    assert found == {"m-high": registered, "x/M:none": registered, "m-low": own, "n-high": None}


def test_a_place_of_ones_own_may_ask_nothing() -> None:
    assert find_prices(["m"], {}, serving("m", (0.0, 0.0))) == {
        "m": Price(0.0, 0.0, source="registry")
    }


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(monkeypatch)
    return write_rows(tmp_path / "a.jsonl", rows(40))


def evaluated(path: Path, **prices: tuple[float, float]) -> SetEvaluation:
    priced = {model: Price(*pair, source="p.yaml") for model, pair in prices.items()}
    request = EvalRequest(files=(path,), prices=priced)
    return evaluate_scorer(known(Registry(1)), request, lambda _a, _b: None).sets[0]


def test_a_model_without_a_price_is_left_out_where_most_have_one(path: Path) -> None:
    found = evaluated(path, abacus=(1, 4), lyra=(1, 4))
    assert found.comparison.models == ("abacus", "lyra")
    assert [(one.model, one.reason) for one in found.left_out] == [("middling", "no price")]
    assert found.comparison.curves is not None


def test_where_most_models_have_no_price_costs_are_left_out(path: Path) -> None:
    found = evaluated(path, abacus=(1, 4))
    assert (len(found.comparison.models), found.comparison.curves) == (3, None)
    assert found.prices["lyra"] is None


def test_costs_of_the_rows_need_no_price(path: Path) -> None:
    own: dict[str, Any] = {"cost_usd": {"abacus": 0.001, "lyra": 0.002, "middling": 0.004}}
    found = evaluated(write_rows(path, rows(40, **own)))
    assert found.prices["lyra"] is None
    costs = {one.policy: one.cost_usd for one in found.comparison.policies}
    assert costs["single:lyra"] == pytest.approx(0.002)
    assert costs["cheapest"] == pytest.approx(0.001)


def test_without_own_costs_a_prompts_cost_is_price_times_tokens(path: Path) -> None:
    found = evaluated(path, abacus=(0, 10), lyra=(0, 10), middling=(0, 10))
    [single] = [one for one in found.comparison.policies if one.policy == "single:lyra"]
    assert single.cost_usd is not None
    assert 80e-5 <= single.cost_usd <= 120e-5  # 80 to 120 tokens at 10 USD a million
