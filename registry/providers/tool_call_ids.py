"""The tool calls of a history, wherever they came from: one id for each, arguments as objects."""

from __future__ import annotations

from itertools import count
from typing import Any

from rolecall.registry.core.chat import ToolCall, ToolResult
from rolecall.registry.core.json_text import decode_shallow


class CallIds:
    """Gives ids in the order of a history, with the name of the tool that each stands for.

    Servers that send no ids, or count anew in each answer, leave several calls with the same
    one; APIs refuse that. `cleaned` rewrites an id into what the API allows.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._waiting: dict[str, list[str]] = {}
        self._last: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def of_call(self, call: ToolCall, *, cleaned: str | None = None) -> str:
        """Return an id that no earlier call of the history has."""
        wanted = call.id if cleaned is None else cleaned
        tries = (wanted if number == 1 else f"{wanted}_{number}" for number in count(1))
        given = next(one for one in tries if one not in self._taken)
        self._taken.add(given)
        self._waiting.setdefault(call.id, []).append(given)
        self._names[call.id] = call.name
        return given

    def of_result(self, result: ToolResult, *, cleaned: str | None = None) -> str:
        """Return the id of the call that a result answers; without such a call, its own."""
        waiting = self._waiting.get(result.call_id)
        if waiting:
            self._last[result.call_id] = waiting.pop(0)
        own = result.call_id if cleaned is None else cleaned
        return self._last.get(result.call_id, own)

    def name_of(self, result: ToolResult) -> str | None:
        """Return the tool that a result is of, if it or its call says so."""
        return result.name or self._names.get(result.call_id)


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """Return the arguments as the object that most APIs want; what is none is put into one."""
    try:
        arguments = decode_shallow(call.arguments or "{}")
    except ValueError:
        arguments = call.arguments
    return arguments if isinstance(arguments, dict) else {"arguments": arguments}
