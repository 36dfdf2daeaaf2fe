"""Queries on strategies."""

from __future__ import annotations

from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.storage.connection import Database, Row
from rolecall.registry.storage.values import from_flag, from_json, to_flag, to_json


def read_strategies(db: Database) -> tuple[Strategy, ...]:
    """Return all strategies, sorted by id."""
    return tuple(
        _strategy(row)
        for row in db.rows(
            """
            SELECT id, description, quality_usd, ttft_usd_per_s, itl_usd_per_s, tie_band_usd,
                   prefer_locality, min_success, max_cost_usd, max_ttft_s, max_duration_s,
                   local_only, regions, trains_on_data, retention_days, allow, deny,
                   budget_mode, log_prompts, default_ttft_s, default_itl_s,
                   default_failure_rate, default_input_usd_per_mtok,
                   default_output_usd_per_mtok
            FROM strategies ORDER BY id
            """
        )
    )


def _strategy(row: Row) -> Strategy:
    has_policy = row[13] is not None or row[14] is not None
    return Strategy(
        id=row[0],
        description=row[1],
        quality_usd=row[2],
        ttft_usd_per_s=row[3],
        itl_usd_per_s=row[4],
        tie_band_usd=row[5],
        prefer_locality=row[6],
        min_success=row[7],
        max_cost_usd=row[8],
        max_ttft_s=row[9],
        max_duration_s=row[10],
        local_only=bool(row[11]),
        regions=from_json(row[12]),
        data_policy=DataPolicy(from_flag(row[13]), row[14]) if has_policy else None,
        allow=from_json(row[15]),
        deny=from_json(row[16]),
        budget_mode=row[17],
        log_prompts=bool(row[18]),
        default_ttft_s=row[19],
        default_itl_s=row[20],
        default_failure_rate=row[21],
        default_input_usd_per_mtok=row[22],
        default_output_usd_per_mtok=row[23],
    )


_WRITE = """
    INSERT INTO strategies (id, description, quality_usd, ttft_usd_per_s, itl_usd_per_s,
        tie_band_usd, prefer_locality, min_success, max_cost_usd, max_ttft_s,
        max_duration_s, local_only, regions, trains_on_data, retention_days, allow, deny,
        budget_mode, log_prompts, default_ttft_s, default_itl_s, default_failure_rate,
        default_input_usd_per_mtok, default_output_usd_per_mtok)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        description = excluded.description,
        quality_usd = excluded.quality_usd,
        ttft_usd_per_s = excluded.ttft_usd_per_s,
        itl_usd_per_s = excluded.itl_usd_per_s,
        tie_band_usd = excluded.tie_band_usd,
        prefer_locality = excluded.prefer_locality,
        min_success = excluded.min_success,
        max_cost_usd = excluded.max_cost_usd,
        max_ttft_s = excluded.max_ttft_s,
        max_duration_s = excluded.max_duration_s,
        local_only = excluded.local_only,
        regions = excluded.regions,
        trains_on_data = excluded.trains_on_data,
        retention_days = excluded.retention_days,
        allow = excluded.allow,
        deny = excluded.deny,
        budget_mode = excluded.budget_mode,
        log_prompts = excluded.log_prompts,
        default_ttft_s = excluded.default_ttft_s,
        default_itl_s = excluded.default_itl_s,
        default_failure_rate = excluded.default_failure_rate,
        default_input_usd_per_mtok = excluded.default_input_usd_per_mtok,
        default_output_usd_per_mtok = excluded.default_output_usd_per_mtok
"""


def write_strategy(db: Database, strategy: Strategy) -> None:
    """Insert the strategy, or replace the whole record of that id.

    A data policy that says nothing is read back as null.
    """
    policy = strategy.data_policy or DataPolicy()
    db.run(
        _WRITE,
        (
            strategy.id,
            strategy.description,
            *_weights_and_limits(strategy),
            int(strategy.local_only),
            to_json(strategy.regions),
            to_flag(policy.trains_on_data),
            policy.retention_days,
            to_json(strategy.allow),
            to_json(strategy.deny),
            strategy.budget_mode,
            int(strategy.log_prompts),
            strategy.default_ttft_s,
            strategy.default_itl_s,
            strategy.default_failure_rate,
            strategy.default_input_usd_per_mtok,
            strategy.default_output_usd_per_mtok,
        ),
    )


def _weights_and_limits(strategy: Strategy) -> Row:
    return (
        strategy.quality_usd,
        strategy.ttft_usd_per_s,
        strategy.itl_usd_per_s,
        strategy.tie_band_usd,
        strategy.prefer_locality,
        strategy.min_success,
        strategy.max_cost_usd,
        strategy.max_ttft_s,
        strategy.max_duration_s,
    )
