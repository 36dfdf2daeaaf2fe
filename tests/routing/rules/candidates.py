"""Candidates made of the few figures that a test is about."""

from __future__ import annotations

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Locality


def candidate(
    endpoint: str,
    success: float = 0.5,
    cost_usd: float = 0.0,
    ttft_s: float = 0.0,
    itl_s: float = 0.0,
    locality: Locality = "remote",
) -> Candidate:
    """Return a candidate; its 128 output tokens keep products of halves exact."""
    return Candidate(
        endpoint=endpoint,
        model="m",
        value_usd=0.0,
        success=success,
        success_std=None,
        success_basis="latent",
        cost_usd=cost_usd,
        input_tokens=10,
        cached_tokens=0,
        output_tokens=128,
        ttft_s=ttft_s,
        ttft_p95_s=None,
        itl_s=itl_s,
        failure_rate=0.0,
        samples=None,
        locality=locality,
        preferred=0,
        sources=(),
    )
