from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.strength import FactsPrior, Line, prior_from_dict, years_of

PRIOR = FactsPrior(
    weights=(0.5, 0.4, 0.6, 0.5, 0.3),
    first_years=-1.0,
    newest_years=0.7,
    last_years=2.2,
    drift=0.25,
    spread=0.6,
    mean_size=1.5,
    mean_price=0.1,
    size_spread=0.6,
    price_spread=0.8,
    years_spread=0.4,
    size_from_price=Line(1.6, 0.7, 0.4),
    price_from_size=Line(-1.2, 0.6, 0.4),
)

facts = st.builds(
    ModelFacts,
    model=st.just("m"),
    parameters_b=st.none() | st.floats(0.1, 2000),
    release_date=st.none() | st.dates().map(str),
    output_usd_per_mtok=st.none() | st.floats(0, 600),
    reasoning=st.none() | st.booleans(),
    open_weights=st.none() | st.booleans(),
)


@given(st.lists(facts, max_size=5))
def test_any_facts_give_a_finite_strength_with_at_least_the_prior_spread(
    pool: list[ModelFacts],
) -> None:
    strength, spread = PRIOR.strength(pool)
    assert strength.shape == spread.shape == (len(pool),)
    assert np.isfinite(strength).all()
    assert (spread >= PRIOR.spread - 1e-12).all()


@given(facts, st.floats(0.1, 2000), st.floats(0.1, 2000))
def test_a_larger_model_is_never_weaker(base: ModelFacts, a: float, b: float) -> None:
    sizes = sorted([a, b])
    pool = [
        ModelFacts("m", size, base.release_date, base.output_usd_per_mtok, base.reasoning)
        for size in sizes
    ]
    strength, _ = PRIOR.strength(pool)
    assert strength[0] <= strength[1] + 1e-12


@pytest.mark.parametrize(
    ("date", "years"),
    [
        ("2024-07-15", 6.5 / 12 - 0.5),
        ("2024-07", 6.5 / 12 - 0.5),
        ("2025", 1.0),
        (None, None),
        ("", None),
        ("soon", None),
    ],
)
def test_a_date_becomes_years_since_mid_2024(date: str | None, years: float | None) -> None:
    found = years_of(date)
    assert found == (None if years is None else pytest.approx(years))


def test_the_prior_survives_json() -> None:
    assert prior_from_dict(json.loads(json.dumps(PRIOR.to_dict()))) == PRIOR


def test_a_prior_of_other_keys_is_refused() -> None:
    with pytest.raises(TypeError):
        prior_from_dict({**PRIOR.to_dict(), "colour": 1})
