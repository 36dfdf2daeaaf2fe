"""What a registry could not take at the time: as a line of the spool file, and folded in later."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.telemetry import Call, Outcome, Pending, Said
from rolecall.registry.storage.codecs import from_row, to_row
from rolecall.registry.storage.connection import Database, storable
from rolecall.registry.storage.decision_codec import decision_from_plain, decision_to_plain
from rolecall.registry.storage.spool import (
    append_line,
    has_lines,
    held_lines,
    keep_damaged,
    read_folded,
    write_folded,
)
from rolecall.registry.storage.turns import turn_from_json, turn_to_json
from rolecall.registry.telemetry.record import apply_pending

PATIENCE_S = 0.5  # for a lock, while what is spooled can as well wait for the next command
MAX_LINE_BYTES = 8 * 1024 * 1024
_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_Flat = TypeVar("_Flat", Call, Outcome)


def spool(registry: Path, pending: Pending) -> Path:
    """Keep it beside the registry; return where. A text too long for a line is left out.

    Raises RegistryUnusable.
    """
    line = _to_line(pending)
    if len(line) > MAX_LINE_BYTES:
        decision = pending.decision and replace(pending.decision, prompt=None)
        line = _to_line(replace(pending, decision=decision, said=None))
    return append_line(registry, line)


def fold_spool(db: Database) -> str | None:
    """Write what is in the spool file to the registry, each line once; return what to say of it.

    Where the registry can still not be written, or another process is at it, the file stays. A
    line that cannot be read is kept in a file of its own.
    """
    if not has_lines(db.path):
        return None
    try:
        with db.patience(PATIENCE_S), held_lines(db.path) as lines:
            return _fold(db, lines) if lines else None
    except RegistryUnusable:
        return None


def _fold(db: Database, lines: tuple[bytes, ...]) -> str | None:
    damaged = []
    with db.transaction():
        # A process that ended before it removed the file left the ids of what it had folded in.
        folded = read_folded(db)
        seen: set[str] = set()
        for line in filter(bytes.strip, lines):
            try:
                pending = _from_line(line)
                if pending.id not in folded | seen:
                    with db.savepoint():
                        apply_pending(db, pending)
                seen.add(pending.id)
            except _DAMAGED:
                damaged.append(line)
        if damaged:
            kept = keep_damaged(db.path, tuple(damaged))
        write_folded(db, frozenset(seen))
    count = f"{len(damaged)} spooled call{'' if len(damaged) == 1 else 's'}"
    return f"{count} cannot be read: see {kept}" if damaged else None


def _to_line(pending: Pending) -> str:
    said = pending.said
    plain = {
        "id": pending.id,
        "decision": pending.decision and decision_to_plain(pending.decision),
        "calls": [asdict(call) for call in pending.calls],
        "said": said
        and {
            "conversation_id": said.conversation_id,
            "created_at": said.created_at,
            "turns": [turn_to_json(turn) for turn in said.turns],
        },
        "outcomes": [asdict(outcome) for outcome in pending.outcomes],
    }
    return json.dumps(plain)


def _from_line(line: bytes) -> Pending:
    """Return what `_to_line` wrote. Raises one of `_DAMAGED` for anything else."""
    plain = json.loads(line)
    said = plain["said"]
    try:
        return Pending(
            _text(plain["id"]),
            plain["decision"] and decision_from_plain(plain["decision"]),
            tuple(_flat(Call, call) for call in plain["calls"]),
            said
            and Said(
                _text(said["conversation_id"]),
                _text(said["created_at"]),
                tuple(map(turn_from_json, said["turns"])),
            ),
            tuple(_flat(Outcome, outcome) for outcome in plain["outcomes"]),
        )
    except RegistryUnusable as error:  # a record of another shape
        raise ValueError(error.message) from error


def _flat(kind: type[_Flat], plain: dict[str, Any]) -> _Flat:
    """Return the record of these values, as it would be read back from its row.

    A field that this version does not know is left out.
    """
    known = {one.name: plain[one.name] for one in fields(kind) if one.name in plain}
    if "finish_reasons" in known:
        known["finish_reasons"] = tuple(map(_text, known["finish_reasons"]))
    return from_row(kind, map(storable, to_row(kind(**known)).values()))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
