"""Name the cheaper endpoints that only their circuits keep out of a decision."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.formatting import usd
from rolecall.registry.routing.rules.cost import usd_for

_BY_CIRCUIT = {"PROVIDER_OFFLINE", "QUOTA_EXHAUSTED"}


def cheaper_offline(decision: Decision, endpoints: Sequence[Endpoint]) -> list[str]:
    """Say in a note which cheaper endpoint cannot be asked now; of several, the most expensive.

    Both are computed at their prices for as many tokens as the chosen one is expected to give.
    """
    codes: dict[str, set[str]] = {}
    for each in decision.excluded:
        codes.setdefault(each.endpoint, set()).add(each.code)
    offline = {one for one, against in codes.items() if against <= _BY_CIRCUIT}
    if not offline:
        return []
    chosen = decision.candidates[0]
    size = (decision.task.input_tokens, chosen.output_tokens)
    costs = {
        one.id: usd_for(one, decision.strategy, *size)
        for one in endpoints
        if one.id in {*offline, chosen.endpoint}
    }
    cost = costs.pop(chosen.endpoint)
    cheaper = [(each, one) for one, each in costs.items() if each < cost]
    if not cheaper:
        return []
    most, named = max(cheaper)
    why = next(each.detail for each in decision.excluded if each.endpoint == named)
    price = f"{usd(cost)} against {usd(most)}"
    return [f"{chosen.endpoint} is more expensive than {named}, {price}, which {why}"]
