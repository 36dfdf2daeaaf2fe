"""Calls as text for other programs: JSON lines, CSV, one JSON object, or OpenTelemetry spans."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, Literal, assert_never

from rolecall.registry.core.telemetry import Call

CallFormat = Literal["jsonl", "csv", "otlp-json", "json"]

_FIELDS = tuple(field.name for field in fields(Call))


def formatted(calls: Iterable[Call], form: CallFormat) -> Iterator[str]:
    """Yield the pieces of the text of `calls`; they are read one by one, as they are needed.

    JSON and CSV have the fields of Call as keys, in that order.
    """
    match form:
        case "jsonl":
            return (f"{json.dumps(call_to_plain(call))}\n" for call in calls)
        case "csv":
            return _csv(calls)
        case "json":
            return _json(calls)
        case "otlp-json":
            from rolecall.registry.telemetry.otlp import otlp_trace

            return otlp_trace(calls)
    assert_never(form)


def call_to_plain(call: Call) -> dict[str, Any]:
    """Return a call as a mapping that JSON can hold; what is unknown is null."""
    plain = {name: getattr(call, name) for name in _FIELDS}
    plain["finish_reasons"] = list(call.finish_reasons)
    return plain


def _json(calls: Iterable[Call]) -> Iterator[str]:
    yield '{"calls": ['
    separator = "\n"
    for call in calls:
        yield f"{separator}{json.dumps(call_to_plain(call))}"
        separator = ",\n"
    yield "\n]}\n"


def _csv(calls: Iterable[Call]) -> Iterator[str]:
    yield _csv_line(_FIELDS)
    for call in calls:
        plain = call_to_plain(call)
        plain["finish_reasons"] = ";".join(call.finish_reasons)
        yield _csv_line(plain.values())


def _csv_line(values: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()
