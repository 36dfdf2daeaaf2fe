"""Name the cheaper endpoints that only their circuits keep out of a decision."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.formatting import usd
from rolecall.registry.routing.rules.cost import usd_for

_BY_CIRCUIT = {"PROVIDER_OFFLINE", "QUOTA_EXHAUSTED"}


def cheaper_offline(decision: Decision, endpoints: Sequence[Endpoint]) -> list[str]:
    """Say in a note which cheaper endpoint cannot be asked now, the dearest of them if several.

    Both are computed at their prices for as many tokens as the chosen one is expected to give.
    """
    chosen = decision.candidates[0]
    codes: dict[str, set[str]] = {}
    for each in decision.excluded:
        codes.setdefault(each.endpoint, set()).add(each.code)

    def expected(endpoint: Endpoint) -> float:
        tokens = (decision.task.input_tokens, chosen.output_tokens)
        return usd_for(endpoint, decision.strategy, *tokens)

    costs = {one.id: expected(one) for one in endpoints}
    cheaper = [
        one
        for one, against in codes.items()
        if against <= _BY_CIRCUIT and one in costs and costs[one] < costs[chosen.endpoint]
    ]
    if not cheaper:
        return []
    offline = max(cheaper, key=lambda one: (costs[one], one))
    why = next(each.detail for each in decision.excluded if each.endpoint == offline)
    price = f"{usd(costs[chosen.endpoint])} against {usd(costs[offline])}"
    return [f"{chosen.endpoint} is more expensive than {offline}, {price}, which {why}"]
