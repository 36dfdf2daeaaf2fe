"""Frozen records as the columns of a row, and back; a new field is written in its record alone.

A column is named after the field it holds, or after both where a record holds another one
(`price_as_of`). Lists are JSON arrays, of records without what is null; pairs are JSON objects,
claims 0 or 1. msgspec would do this
too, but importing it takes longer than a cold `route` takes to read the whole registry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field, fields
from datetime import datetime
from itertools import islice
from typing import Any, Literal, TypeVar, get_args, get_origin

from rolecall.registry.core import entities
from rolecall.registry.core.entities import Budget, DataPolicy, Price, PriceTier, Profile
from rolecall.registry.storage.errors import unreadable

Record = TypeVar("Record")
Values = dict[str, Any]
Reader = Callable[[Iterator[Any]], Any]

# Fields that hold a record, spread over columns of their own.
_NESTED: dict[str, type] = {
    "budget": Budget,
    "data_policy": DataPolicy,
    "price": Price,
    "profile": Profile,
}
# Fields that hold a list of records.
_LISTED: dict[str, type] = {"tiers": PriceTier}
# Fields whose names refer to other records, kept in tables of their own.
_REFERENCES = ("assignments", "roles")
_NOTHING = (None, "[]", "{}")
# What SQLite gives for the types of fields; for all others text.
_NUMBER = (int, float)
_VALUE_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("int", "Tokens", "float", "Fraction", "Factor"), _NUMBER),
    "Effort": (str, *_NUMBER),
}
_TIMES = (
    *("created_at", "finished_at", "updated_at", "sampled_at"),
    *("open_until", "trial_until", "opened_at"),
)
_READERS: dict[Any, list[Reader]] = {}


def columns(kind: type) -> tuple[str, ...]:
    """Return the names of a kind of record's columns, in the order of its fields."""
    names: list[str] = []
    for field in fields(kind):
        if field.name in _NESTED:
            names += (f"{field.name}_{inner}" for inner in columns(_NESTED[field.name]))
        elif field.name not in _REFERENCES:
            names.append(field.name)
    return tuple(names)


def listed(kind: type) -> str:
    """Return the columns as SQL lists them."""
    return ", ".join(columns(kind))


def bound(kind: type) -> str:
    """Return the parameters that `to_row` gives values to, in the order of the columns."""
    return ", ".join(f":{name}" for name in columns(kind))


def to_row(record: Any) -> Values:
    """Return a record's values by column."""
    row: Values = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name in _NESTED:
            inner = _NESTED[field.name]
            values = _absent(inner) if value is None else to_row(value)
            row |= {f"{field.name}_{name}": one for name, one in values.items()}
        elif field.name not in _REFERENCES:
            row[field.name] = _to_json(value) if isinstance(value, tuple) else value
    return row


def _absent(kind: type) -> Values:
    return {
        field.name: "[]" if isinstance(field.default, tuple) else None for field in fields(kind)
    }


def _to_json(items: tuple[Any, ...]) -> str:
    is_pairs = bool(items) and isinstance(items[0], tuple)
    return json.dumps(dict(items) if is_pairs else items, ensure_ascii=False, default=_stated)


def _stated(record: Any) -> Values:
    values = ((field.name, getattr(record, field.name)) for field in fields(record))
    return {name: value for name, value in values if value is not None}


def from_rows(kind: Callable[..., Record], rows: Iterable[Iterable[Any]]) -> tuple[Record, ...]:
    """Return the records whose columns, in the order of `columns`, are those of the rows.

    A nested record that says nothing is the field's default. Raises RegistryUnusable for a row
    that was damaged.
    """
    readers = _READERS.get(kind) or _READERS.setdefault(kind, _readers(kind))
    try:
        each = map(iter, rows)
        return tuple([kind(*[read(values) for read in readers]) for values in each])
    except (ValueError, TypeError) as error:
        name = getattr(kind, "__name__", "record")
        raise unreadable(f"a row of kind {name}") from error


def from_row(kind: Callable[..., Record], row: Iterable[Any]) -> Record:
    """Return the record of one row."""
    [record] = from_rows(kind, (row,))
    return record


def _readers(kind: Any) -> list[Reader]:
    readers: list[Reader] = []
    for field in fields(kind):
        if field.name in _NESTED:
            readers.append(_nested(_NESTED[field.name], field.default))
        elif field.name in _REFERENCES:
            readers.append(lambda _: ())
        elif field.name in _LISTED:
            readers.append(_listing(_LISTED[field.name]))
        elif isinstance(field.default, tuple):
            readers.append(lambda values: _from_json(next(values)))
        elif "bool" in str(field.type):
            readers.append(lambda values: _claim(next(values)))
        else:
            readers.append(_checked(field))
    return readers


def _checked(field: Field[Any]) -> Reader:
    """Return the reader of a plain value that refuses what the field cannot hold."""
    text = str(field.type)
    name = text.removesuffix(" | None")
    types: tuple[type, ...] = _VALUE_TYPES.get(name, (str,))
    # A nested record that says nothing has null everywhere.
    types = (*types, type(None))
    kind = getattr(entities, name, None)
    allowed = get_args(kind) if get_origin(kind) is Literal else ()
    is_time = field.name in _TIMES

    def read(values: Iterator[Any]) -> Any:
        value = next(values)
        if type(value) not in types:
            raise TypeError(field.name)
        if value is not None and (allowed or is_time):
            if allowed and value not in allowed:
                raise ValueError(field.name)
            if is_time and datetime.fromisoformat(value).tzinfo is None:
                raise ValueError(field.name)
        return value

    return read


def _nested(kind: type, otherwise: Any) -> Reader:
    width = len(columns(kind))

    def read(values: Iterator[Any]) -> Any:
        own = list(islice(values, width))
        return otherwise if all(one in _NOTHING for one in own) else from_row(kind, own)

    return read


def _listing(kind: Any) -> Reader:
    return lambda values: tuple([kind(**one) for one in _from_json(next(values))])


def _from_json(text: str | None) -> tuple[Any, ...]:
    if text in _NOTHING:
        return ()
    items = json.loads(text or "[]")
    return tuple(items.items() if isinstance(items, dict) else items)


def _claim(value: int | None) -> bool | None:
    return None if value is None else bool(value)
