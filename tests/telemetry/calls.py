"""Finished calls for tests, a second or more apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rolecall.registry.core.telemetry import Call, EndpointStatistics, SampleSource
from rolecall.registry.telemetry.statistics import Samples, after_call

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    """Return the moment so many seconds after the start."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def call(
    seconds: float,
    *,
    ttft_s: float | None = 0.5,
    error: str | None = None,
    took_s: float = 1.0,
    source: SampleSource = "live",
) -> Call:
    """Return a call that began `seconds` after the start and took `took_s`."""
    made = Call(
        id=f"c{seconds}",
        created_at=at(seconds),
        endpoint="p/m",
        finished_at=at(seconds + took_s),
        duration_s=took_s,
        error_type=error,
        time_to_first_chunk_s=None if error else ttft_s,
        time_per_output_token_s=None if error else 0.02,
        input_tokens=None if error else 10,
        output_tokens=None if error else 20,
        cost_usd=None if error else 0.001,
    )
    return replace(made, sample_source=source)


def replayed(calls: Iterable[Call]) -> tuple[EndpointStatistics | None, Samples]:
    """Work statistics and samples out again from one endpoint's calls, in finishing order."""
    stats: EndpointStatistics | None = None
    samples: Samples = ()
    for call in calls:
        stats, samples = after_call(stats, samples, call)
    return stats, samples
