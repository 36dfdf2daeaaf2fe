"""Print rounds of probes as a table or as JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from rolecall.cli.render.calls import paid
from rolecall.cli.render.output import Column, note, print_json, print_table
from rolecall.registry.calls.probe import Probed
from rolecall.registry.core.errors import ExitCode
from rolecall.registry.core.formatting import UNKNOWN, seconds

COLUMNS = (
    Column("endpoint"),
    Column("result"),
    Column("first token", is_number=True),
    Column("change", is_number=True, drop=1),
    Column("per token", is_number=True, drop=3),
    Column("tokens/s", is_number=True, drop=2),
    Column("total", is_number=True),
    Column("cost", is_number=True),
)


def print_rounds(
    probe: Callable[[], Sequence[Probed]], interval: timedelta | None, *, as_json: bool
) -> int:
    """Print one round and return its exit code, or one after another until interrupted."""
    while True:
        code = print_round(probe(), as_json=as_json)
        if interval is None:
            return code
        note(f"next round in {interval}")
        time.sleep(interval.total_seconds())


def print_round(found: Sequence[Probed], *, as_json: bool) -> int:
    """Print one round of probes; return the exit code.

    It is 4 where no probe succeeded, and 3 where none was made.
    """
    if as_json:
        print_json({"probes": [described(one) for one in found]}, flush=True)
    else:
        print_table(COLUMNS, [row_of(one) for one in found])
    for why in dict.fromkeys(one.unrecorded for one in found if one.unrecorded):
        note(f"note: {why}")
    made = [one.call for one in found if one.call is not None]
    if not made:
        return ExitCode.NOTHING_ELIGIBLE
    return ExitCode.DONE if any(call.error_type is None for call in made) else ExitCode.ALL_FAILED


def row_of(one: Probed) -> list[str]:
    """Return a probe's cells."""
    call = one.call
    if call is None:
        return [one.endpoint, f"skipped: {one.skipped}", "", "", "", "", "", ""]
    change = one.ttft_change_s
    speed = one.tokens_per_s
    return [
        one.endpoint,
        call.error_type or "ok",
        seconds(call.time_to_first_chunk_s),
        "" if change is None else f"{'-' if change < 0 else '+'}{seconds(abs(change))}",
        seconds(call.time_per_output_token_s),
        UNKNOWN if speed is None else f"{speed:,.0f}",
        seconds(call.duration_s),
        paid(call),
    ]


def described(one: Probed) -> dict[str, Any]:
    """Return a probe as the documented JSON object; what is unknown is null."""
    call = one.call
    return {
        "endpoint": one.endpoint,
        "skipped": one.skipped,
        "call": None if call is None else asdict(call),
        "tokens_per_s": one.tokens_per_s,
        "ttft_change_s": one.ttft_change_s,
    }
