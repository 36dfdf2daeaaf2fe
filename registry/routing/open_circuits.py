"""Who is asked though an open circuit keeps them out: nobody else is eligible."""

from __future__ import annotations

from dataclasses import replace

from rolecall.registry.core.formatting import seconds
from rolecall.registry.routing.rules.inputs import DecisionInputs
from rolecall.registry.telemetry.availability import Availability
from rolecall.registry.telemetry.circuit import LONGEST_WAITED_S


def without_circuits(inputs: DecisionInputs, known: Availability) -> DecisionInputs | None:
    """Return the inputs with open circuits passed over; null where there is none to pass.

    A circuit that a server asked for stays where it asked for longer than anyone waits. One that
    a refused key opened is passed by whoever names the very endpoint with `--endpoint`.
    """
    passed = {id_ for id_, one in known.kept_out.items() if one.asked_s <= LONGEST_WAITED_S}
    named = set(inputs.selection) & inputs.refused.keys()
    if not passed and not named:
        return None
    return replace(
        inputs,
        offline={id_: why for id_, why in inputs.offline.items() if id_ not in passed},
        exhausted={id_: why for id_, why in inputs.exhausted.items() if id_ not in passed},
        refused={id_: why for id_, why in inputs.refused.items() if id_ not in named},
    )


def passing_note(chosen: str, known: Availability) -> str:
    """Say that an endpoint is chosen though its circuit is open, and what opened it."""
    kept_out = known.kept_out.get(chosen)
    if kept_out is None:
        return f"nobody else is eligible: {chosen} is chosen, though {known.refused[chosen]}"
    if kept_out.asked_s > 0:
        left = seconds(kept_out.asked_s)
        return f"nobody else is eligible: {chosen} is chosen, which asked to wait ({left} left)"
    return f"nobody else is eligible: {chosen} is chosen all the same ({kept_out.why})"
