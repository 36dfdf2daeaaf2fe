"""Queries on endpoints, their prices and their profiles."""

from __future__ import annotations

from rolecall.registry.core.entities import DataPolicy, Endpoint, Price, Profile
from rolecall.registry.storage.connection import Database, Row
from rolecall.registry.storage.values import (
    from_flag,
    from_json,
    from_json_object,
    to_flag,
    to_json,
    to_json_object,
)

_NO_PRICE = (None,) * 6
_NO_POLICY = DataPolicy()


def read_endpoints(db: Database) -> tuple[Endpoint, ...]:
    """Return all endpoints, sorted by id."""
    return tuple(
        _endpoint(row)
        for row in db.rows(
            """
            SELECT id, model, api, base_url, remote_model, key_env, key_command, locality,
                   region, trains_on_data, retention_days, quantization, context_tokens,
                   max_output_tokens, unsupported_parameters,
                   input_usd_per_mtok, output_usd_per_mtok, cache_read_usd_per_mtok,
                   cache_write_usd_per_mtok, price_source, price_as_of,
                   ttft_s, ttft_p95_s, itl_s, failure_rate, success, samples, profile_as_of,
                   status, reasoning_effort
            FROM endpoints ORDER BY id
            """
        )
    )


def _endpoint(row: Row) -> Endpoint:
    trains, retention = row[9], row[10]
    is_policy_known = trains is not None or retention is not None
    return Endpoint(
        id=row[0],
        model=row[1],
        api=row[2],
        base_url=row[3],
        remote_model=row[4],
        key_env=row[5],
        key_command=row[6],
        locality=row[7],
        region=row[8],
        data_policy=DataPolicy(from_flag(trains), retention) if is_policy_known else _NO_POLICY,
        quantization=row[11],
        reasoning_effort=row[29],
        context_tokens=row[12],
        max_output_tokens=row[13],
        unsupported_parameters=from_json(row[14]),
        price=None if row[15:21] == _NO_PRICE else Price(*row[15:21]),
        profile=_profile(row),
        status=row[28],
    )


def _profile(row: Row) -> Profile | None:
    ttft, ttft_p95, itl, failure_rate, success, samples, as_of = row[21:28]
    pairs = from_json_object(success)
    profile = Profile(ttft, ttft_p95, itl, failure_rate, pairs, samples, as_of)
    return None if profile == _NO_PROFILE else profile


_NO_PROFILE = Profile()


_WRITE = """
    INSERT INTO endpoints (id, model, api, base_url, remote_model, key_env, key_command,
        locality, region, trains_on_data, retention_days, quantization, context_tokens,
        max_output_tokens, unsupported_parameters, input_usd_per_mtok, output_usd_per_mtok,
        cache_read_usd_per_mtok, cache_write_usd_per_mtok, price_source, price_as_of,
        ttft_s, ttft_p95_s, itl_s, failure_rate, success, samples, profile_as_of, status,
        reasoning_effort)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        model = excluded.model,
        api = excluded.api,
        base_url = excluded.base_url,
        remote_model = excluded.remote_model,
        key_env = excluded.key_env,
        key_command = excluded.key_command,
        locality = excluded.locality,
        region = excluded.region,
        trains_on_data = excluded.trains_on_data,
        retention_days = excluded.retention_days,
        quantization = excluded.quantization,
        context_tokens = excluded.context_tokens,
        max_output_tokens = excluded.max_output_tokens,
        unsupported_parameters = excluded.unsupported_parameters,
        input_usd_per_mtok = excluded.input_usd_per_mtok,
        output_usd_per_mtok = excluded.output_usd_per_mtok,
        cache_read_usd_per_mtok = excluded.cache_read_usd_per_mtok,
        cache_write_usd_per_mtok = excluded.cache_write_usd_per_mtok,
        price_source = excluded.price_source,
        price_as_of = excluded.price_as_of,
        ttft_s = excluded.ttft_s,
        ttft_p95_s = excluded.ttft_p95_s,
        itl_s = excluded.itl_s,
        failure_rate = excluded.failure_rate,
        success = excluded.success,
        samples = excluded.samples,
        profile_as_of = excluded.profile_as_of,
        status = excluded.status,
        reasoning_effort = excluded.reasoning_effort
"""


def write_endpoint(db: Database, endpoint: Endpoint) -> None:
    """Insert the endpoint, or replace the whole record of that id.

    A price or profile that says nothing is read back as null.
    """
    db.run(
        _WRITE,
        (
            *_place(endpoint),
            *_price_columns(endpoint.price),
            *_profile_columns(endpoint.profile),
            endpoint.status,
            endpoint.reasoning_effort,
        ),
    )


def _place(endpoint: Endpoint) -> Row:
    return (
        endpoint.id,
        endpoint.model,
        endpoint.api,
        endpoint.base_url,
        endpoint.remote_model,
        endpoint.key_env,
        endpoint.key_command,
        endpoint.locality,
        endpoint.region,
        to_flag(endpoint.data_policy.trains_on_data),
        endpoint.data_policy.retention_days,
        endpoint.quantization,
        endpoint.context_tokens,
        endpoint.max_output_tokens,
        to_json(endpoint.unsupported_parameters),
    )


def _price_columns(price: Price | None) -> Row:
    if price is None:
        return _NO_PRICE
    return (
        price.input_usd_per_mtok,
        price.output_usd_per_mtok,
        price.cache_read_usd_per_mtok,
        price.cache_write_usd_per_mtok,
        price.source,
        price.as_of,
    )


def _profile_columns(profile: Profile | None) -> Row:
    profile = profile or _NO_PROFILE
    return (
        profile.ttft_s,
        profile.ttft_p95_s,
        profile.itl_s,
        profile.failure_rate,
        to_json_object(profile.success),
        profile.samples,
        profile.as_of,
    )
