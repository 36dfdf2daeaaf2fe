"""Which forms of an attachment, or of a conversation, an endpoint is known to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from rolecall.registry.core.chat import PREFILL, Chat
from rolecall.registry.core.entities import Api, Endpoint, Model
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.generations import generation_of
from rolecall.registry.providers.hosts import has_habit
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.support import lost_modalities

_WEB_IMAGES = ("image/png", "image/jpeg", "image/webp")
# The media types that an API documents, by their family; where a family is missing, any.
_TAKEN: Mapping[Api, Mapping[str, tuple[str, ...]]] = {
    "anthropic": {"image": (*_WEB_IMAGES, "image/gif")},
    "gemini": {"image": (*_WEB_IMAGES, "image/heic", "image/heif")},
}
_TAKEN_BY_OPENAI_ITSELF: Mapping[str, tuple[str, ...]] = {
    "image": (*_WEB_IMAGES, "image/gif"),
    "audio": ("audio/wav", "audio/mpeg"),
}
_TOOL = "tool of type "
# Its own kinds bear a date: `web_search_20250305`.
_ANTHROPICS_TOOL = re.compile(r"_\d{8}$|mcp_toolset$")
_URLS_REFUSED_BY_OPENAI_ITSELF = ("pdf by URL", "audio by URL", "video by URL")


def untaken_forms(target: Target, forms: Iterable[str]) -> tuple[str, ...]:
    """Name those of a chat's `forms` that an endpoint refuses, in their order."""
    return tuple(form for form in forms if not _is_taken(target, form))


def untaken_by(
    endpoints: Sequence[Endpoint], models: Mapping[str, Model], forms: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Name the forms that each endpoint refuses; endpoints that take all are left out."""
    if not forms:
        return {}
    found = {one.id: untaken_forms(Target(one, models[one.model]), forms) for one in endpoints}
    return {endpoint: lost for endpoint, lost in found.items() if lost}


def refuse_untaken(target: Target, chat: Chat) -> None:
    """Raise CallFailed for what of a chat's turns the endpoint is known to refuse.

    All that is refused here is known to `untaken_forms` or `lost_modalities`, by which an
    endpoint is excluded before.
    """
    api = target.endpoint.api
    lost = lost_modalities(api, chat.modalities)
    if lost:
        said = f"{api} takes no {lost[0]} attachments"
        raise CallFailed("parameter_unsupported", said, parameter=lost[0])
    untaken = untaken_forms(target, chat.forms)
    if untaken:
        said = f"{target.endpoint.id} takes no {', '.join(untaken)}"
        raise CallFailed("parameter_unsupported", said, parameter=untaken[0])


def _is_taken(target: Target, form: str) -> bool:
    endpoint = target.endpoint
    is_openai = endpoint.api == "openai" and has_habit(endpoint, "openai_itself")
    if form == PREFILL:
        claude = generation_of(target, "anthropic") if endpoint.api == "anthropic" else None
        return claude is None or not claude.has("refuses_prefill")
    if form.endswith(" by file id"):
        return False
    if form.startswith(_TOOL):  # other APIs take none, and what they are not sent is no loss here
        return endpoint.api != "anthropic" or _ANTHROPICS_TOOL.search(form) is not None
    if form.endswith(" by URL"):
        return endpoint.api != "ollama" and not (
            is_openai and form in _URLS_REFUSED_BY_OPENAI_ITSELF
        )
    taken = _TAKEN_BY_OPENAI_ITSELF if is_openai else _TAKEN.get(endpoint.api, {})
    known = taken.get(form.partition("/")[0])
    return known is None or form in known
