"""Record one command's decision and calls, in the registry or, where it refuses, beside it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rolecall.registry.core.chat import Turn
from rolecall.registry.core.clock import Now, stamp, utc_now
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.entities import Scope
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.ids import new_id
from rolecall.registry.core.reporting import Tell, say_nothing
from rolecall.registry.core.telemetry import NO_PASSAGE, Call, Outcome, Passage, Pending, Said
from rolecall.registry.editing.open import open_registry
from rolecall.registry.policy.budget import spending_scopes
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.statistics import make_key_salt, read_key_salt

# `record` is imported where a call is recorded: a mere decision needs none of it.
# For the locks of other programs, before the first of them was in vain and after.
PATIENCE_S, SPENT_PATIENCE_S = 2.0, 0.1


class Recorder:
    """Records a decision, its calls and what follows from them; a paid answer is never lost.

    What the registry refuses is put into the spool file beside it, from which the next command
    takes it. What follows from an answer waits for `flush`, so that the answer is shown first.
    """

    def __init__(self, db: Database, *, now: Now = utc_now) -> None:
        self._db = db
        self._now = now
        self._decision: Decision | None = None
        self._is_stored = True
        self._waiting = Pending("")
        self._refused: RegistryUnusable | None = None
        self._told: str | None = None

    def decided(self, decision: Decision, *, will_call: bool) -> Decision:
        """Store a decision; return it, with a note where it could not be and no call follows."""
        self._decision, self._is_stored = decision, False
        try:
            with self._writing():
                pass
        except RegistryUnusable as error:
            if not will_call:
                return replace(decision, notes=(*decision.notes, f"not recorded: {error.message}"))
        return decision

    def key_salt(self, *, is_needed: bool) -> str | None:
        """Return what makes this registry's marks of keys its own; made if it `is_needed`.

        Null before, and where the registry cannot be written.
        """
        try:
            with self._db.patience(SPENT_PATIENCE_S):
                if is_needed:
                    make_key_salt(self._db)
                return read_key_salt(self._db)
        except RegistryUnusable:
            return None

    def begin(self, call: Call, scopes: Iterable[Scope], passage: Passage = NO_PASSAGE) -> None:
        """Store a call that is about to be sent, as `begin_call` does.

        Where the registry cannot be written the call is made all the same, unless a hard budget
        bears on it, against which it cannot be held: then RegistryUnusable is raised.
        """
        from rolecall.registry.telemetry.record import begin_call

        bearing = spending_scopes(call.app, call.user)
        is_limited = any(
            one.budget is not None and one.budget.mode == "hard" and one.id in bearing
            for one in scopes
        )
        try:
            with self._writing():
                begin_call(self._db, call, scopes, passage)
        except RegistryUnusable as error:
            if is_limited:
                said = f"{call.endpoint} was not asked, as its cost cannot be held against a budget"
                raise RegistryUnusable(f"{said}: {error.message}", hint=error.hint) from error

    def end(self, call: Call, key_mark: str | None = None) -> Call:
        """Take in how a call ended, dated now, and its key's mark; `flush` stores it."""
        ended, waiting = replace(call, finished_at=stamp(self._now())), self._waiting
        marks = waiting.key_marks if key_mark is None else {**waiting.key_marks, call.id: key_mark}
        self._waiting = replace(waiting, calls=(*waiting.calls, ended), key_marks=marks)
        return ended

    def said(self, conversation_id: str, turns: tuple[Turn, ...]) -> None:
        """Take in what was asked and answered; `flush` stores it."""
        said = Said(conversation_id, stamp(self._now()), turns)
        self._waiting = replace(self._waiting, said=said)

    def judged(self, outcome: Outcome) -> None:
        """Take in how good an answer was; `flush` stores it."""
        self._waiting = replace(self._waiting, outcomes=(*self._waiting.outcomes, outcome))

    def flush(self) -> str | None:
        """Store what waits, all of it or nothing; return what to say where it could not be.

        The same is said once.
        """
        waiting, self._waiting = self._waiting, Pending("")
        if waiting == Pending(""):
            return None
        from rolecall.registry.telemetry.record import apply_pending

        waiting = replace(waiting, id=new_id(self._now()), decision=self._decision)
        try:
            with self._writing():
                apply_pending(self._db, waiting)
        except RegistryUnusable as error:
            before, self._told = self._told, self._spooled(waiting, error)
            return self._told if self._told != before else None
        return None

    def _spooled(self, waiting: Pending, error: RegistryUnusable) -> str:
        from rolecall.registry.telemetry.spooled import spool

        try:
            place = spool(self._db.path, waiting)
        except RegistryUnusable as worse:
            return f"the call could not be recorded: {error.message}; {worse.message}"
        return f"{error.message}: the call is kept in {place} and recorded by the next command"

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Hold the write lock for a part of what is to be recorded, the decision first.

        Raises RegistryUnusable, also where the file was moved away or replaced.
        """
        patience_s = PATIENCE_S if self._refused is None else SPENT_PATIENCE_S
        try:
            if not self._db.is_in_place():
                raise RegistryUnusable(
                    f"the registry {self._db.path} was moved away or replaced meanwhile",
                    hint="rolecall registry check",
                )
            with self._db.patience(patience_s), self._db.transaction():
                if self._decision is not None and not self._is_stored:
                    insert_decision(self._db, self._decision)
                yield
        except RegistryUnusable as error:
            self._refused = error
            raise
        self._is_stored = True


def open_recorded(given: Path | None, tell: Tell = say_nothing) -> Database:
    """Open the registry as `open_registry` does, with what earlier commands had to leave beside it.

    What of that cannot be read is told by `tell`. Raises RegistryUnusable.
    """
    db = open_registry(given)
    from rolecall.registry.storage.spool import has_lines

    if has_lines(db.path):
        from rolecall.registry.telemetry.spooled import fold_spool

        said = fold_spool(db)
        if said is not None:
            tell(said)
    return db
