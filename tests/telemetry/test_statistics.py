from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rolecall.registry.core.telemetry import EndpointStatistics, Outcome, OutcomeStatistics
from rolecall.registry.telemetry.statistics import (
    WINDOW,
    after_outcome,
    measured,
    quantile,
    success_offset,
)
from tests.telemetry.calls import START, at, call, replayed


def stats_of(*calls: object) -> EndpointStatistics:
    stats, _ = replayed(calls)  # type: ignore[arg-type]
    assert stats is not None
    return stats


def outcomes(*scores: float, predicted: float = 0.6, every_s: float = 60) -> OutcomeStatistics:
    stats = None
    for place, score in enumerate(scores):
        stats = after_outcome(
            stats,
            Outcome(at(place * every_s), "p/m", score, "human", task="code", predicted=predicted),
        )
    assert stats is not None
    return stats


def test_totals_count_everything_and_unknown_costs_apart() -> None:
    stats = stats_of(call(0), call(10), call(20, error="stream_cut"))
    assert (stats.calls, stats.failed, stats.errors) == (3, 1, (("stream_cut", 1),))
    assert (stats.input_tokens, stats.output_tokens) == (20, 40)
    assert stats.cost_usd == pytest.approx(0.002)
    assert stats.unpriced == 1


def test_one_slow_call_moves_the_tail_and_not_the_median() -> None:
    stats = stats_of(*(call(n * 10, ttft_s=0.4) for n in range(10)), call(100, ttft_s=9.0))
    assert (stats.ttft_p50_s, stats.ttft_p95_s) == (0.4, 9.0)


def test_a_slow_spell_fades_to_the_long_median_when_nobody_calls() -> None:
    calls = [call(n * 10, ttft_s=0.4) for n in range(40)]
    calls += [call(400 + n * 10, ttft_s=6.0) for n in range(6)]
    stats = stats_of(*calls)
    now = START + timedelta(seconds=460)
    fresh, later = measured(stats, (), now), measured(stats, (), now + timedelta(hours=2))
    assert fresh.freshness > 0.99
    assert later.freshness < 0.01
    assert (fresh.ttft_p50_s, fresh.ttft_long_p50_s) == (6.0, 0.4)


def test_steady_calls_keep_the_median_steady() -> None:
    stats, samples = replayed(call(n * 7, ttft_s=0.5) for n in range(200))
    assert stats is not None
    assert (stats.samples, stats.ttft_p50_s, stats.ttft_long_p50_s) == (200, 0.5, 0.5)
    assert len(samples) == WINDOW


def test_a_probe_weighs_half_a_call() -> None:
    live = measured(stats_of(call(0)), (), START + timedelta(seconds=1))
    probe = measured(stats_of(call(0, source="probe")), (), START + timedelta(seconds=1))
    assert probe.recent_calls == pytest.approx(live.recent_calls / 2)
    assert probe.samples == 1


def test_failures_fade_with_time_and_what_the_request_brought_about_is_no_failure() -> None:
    failing = stats_of(call(0), call(10, error="server_error"), call(20, error="context_too_long"))
    now = measured(failing, (), START + timedelta(seconds=21))
    later = measured(failing, (), START + timedelta(days=2))
    assert now.recent_failures == pytest.approx(1.0, abs=0.05)
    assert now.recent_calls == pytest.approx(2.0, abs=0.1)
    assert later.recent_failures < 0.01


def test_a_trial_that_succeeds_forgives_most_of_the_failures() -> None:
    down = [call(n, error="server_error", took_s=0.1) for n in range(3)]
    before = stats_of(call(-10), *down)
    assert before.open_until is not None
    healed = stats_of(call(-10), *down, call(60))
    assert healed.open_until is None
    assert healed.recent_failures < before.recent_failures * 0.3
    assert healed.recent_calls > healed.recent_failures


def test_while_half_open_the_failures_are_the_circuits_alone() -> None:
    stats = stats_of(*(call(n, error="server_error", took_s=0.1) for n in range(3)))
    open_now = measured(stats, (), START + timedelta(seconds=4))
    half_open = measured(stats, (), START + timedelta(seconds=60))
    assert open_now.recent_failures > 2
    assert half_open.recent_failures == half_open.recent_calls == 0


def test_a_quantile_of_nothing_is_unknown() -> None:
    assert quantile([None, None], [1.0, 1.0], 0.5) is None


def test_outcomes_as_predicted_move_nothing() -> None:
    offset, _, _ = success_offset([outcomes(0.6, 0.6, 0.6)], START + timedelta(hours=1))
    assert offset == pytest.approx(0)


def test_a_narrow_kind_leans_on_the_wider_one() -> None:
    wide, narrow = outcomes(0, 0, 0, 0, 0, 0), replace(outcomes(0.6), task="code.edit")
    now = START + timedelta(minutes=10)
    alone, _, _ = success_offset([narrow], now)
    led, _, _ = success_offset([wide, narrow], now)
    assert alone == pytest.approx(0)
    assert led < -0.2


def test_what_a_clock_dated_in_the_far_future_is_taken_for_old_and_not_for_new_for_ever() -> None:
    far = timedelta(days=365 * 70).total_seconds()
    stats = stats_of(call(far, ttft_s=0.1), call(far + 2, error="server_error"))
    found = measured(stats, (), START)
    assert found.freshness < 0.01
    assert 0 < found.long_freshness < 0.7
    assert found.recent_failures < 0.01
    set_back = measured(stats_of(call(60)), (), START)
    assert set_back.freshness == 1.0


def test_calls_after_a_clock_was_set_right_count_more_than_those_dated_ahead() -> None:
    far = timedelta(days=365 * 70).total_seconds()
    stats = stats_of(*(call(far + n, ttft_s=9.0) for n in range(3)), call(0, ttft_s=0.1))
    assert stats.sampled_at == at(1)
    assert stats.ttft_p50_s == 0.1
