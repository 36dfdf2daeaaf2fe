"""What a request itself demands of a model, and what a model has to offer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from rolecall.registry.core.entities import Model
from rolecall.registry.core.requests import Request

_ATTACHED = " attached"


@dataclass(frozen=True, slots=True)
class Requirements:
    """Capabilities with why each is needed, and the modalities that must be accepted."""

    needs: tuple[tuple[str, str], ...]
    modalities: tuple[str, ...]


def requirements(request: Request) -> Requirements:
    """Read from `request` what it needs.

    Images need `vision` and the modality `image`, other attachments their modality, tools need
    `tools`, an answer schema `json_schema`. What the caller declared comes last, "asked for".
    """
    attached = Counter(kind for message in request.messages for kind in message.attachments)
    needs: list[tuple[str, str]] = []
    if attached["image"]:
        needs.append(("vision", attachment_reason("image", attached["image"])))
    if request.tool_names:
        needs.append(("tools", attachment_reason("tool", len(request.tool_names))))
    if request.schema_chars:
        needs.append(("json_schema", "an answer schema is given"))
    needs += [(capability, "asked for") for capability in request.needs]
    modalities = ("text", *sorted(kind for kind in attached if kind != "text"))
    return Requirements(merge_needs(needs), modalities)


def merge_needs(needs: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Name each capability once, in first order, its reasons joined by commas."""
    reasons: dict[str, list[str]] = {}
    for capability, why in needs:
        known = reasons.setdefault(capability, [])
        if why not in known:
            known.append(why)
    return tuple((capability, ", ".join(why)) for capability, why in reasons.items())


def attachment_reason(noun: str, count: int) -> str:
    """Say "1 image attached", "3 tools attached"."""
    return f"{count} {noun}{'' if count == 1 else 's'}{_ATTACHED}"


def is_only_attached(why: str) -> bool:
    """Tell whether a need comes from what is attached and from nothing else."""
    return why.endswith(_ATTACHED)


def capabilities_of(model: Model) -> frozenset[str]:
    """Return every capability name that `model` meets.

    A need is met by a capability of that name or by a more specific one: `tools.parallel` also
    meets `tools`, while `code` does not meet `code.edit`. The modality `image` is `vision`.
    """
    return _met(model.capabilities, model.modalities)


@lru_cache(maxsize=4096)
def _met(capabilities: tuple[str, ...], modalities: tuple[str, ...]) -> frozenset[str]:
    met: set[str] = set()
    for capability in capabilities:
        met.add(capability)
        while "." in capability:
            capability = capability.rpartition(".")[0]
            met.add(capability)
    if "image" in modalities:
        met.add("vision")
    return frozenset(met)
