"""A registry that cannot be written can be read; a damaged one is refused in one line."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.calls.conversations import open_conversation
from rolecall.registry.core.chat import Text, Turn
from rolecall.registry.core.errors import RegistryError, RegistryUnusable
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.core.telemetry import Call, Outcome
from rolecall.registry.editing.check import check_registry
from rolecall.registry.editing.edit import export_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.explain import explain_decision
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.calls import CallFilter, recent_calls
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.telemetry.feedback import give_feedback
from rolecall.registry.telemetry.query import endpoint_statistics, task_statistics
from tests.conftest import Rolecall
from tests.storage.rights import held_to_modes
from tests.telemetry.calls import START, at

KEY = {"OPENAI_API_KEY": "placeholder"}
TALK = RoutingChoices(conversation_id="talk")


def decide(db: Database, scorer: Scorer) -> Router:
    router = Router(db, scorer=scorer, environment=KEY)
    router.decide(Request((Message("user", "hello"),)), TALK, will_call=True)
    return router


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, scorer: Scorer) -> Path:
    """Return a registry with a decision, a call, a conversation and an outcome."""
    path = tmp_path_factory.mktemp("used") / "registry.db"
    with open_registry(path) as db:
        router = decide(db, scorer)
        call = Call("c1", at(0), "openai/gpt-5.5", reserved_usd=0.1)
        router.recorder.begin(call, ())
        router.recorder.end(replace(call, cost_usd=0.1, time_to_first_chunk_s=0.4))
        router.recorder.said("talk", (Turn("user", (Text("hi"),)),))
        router.recorder.judged(Outcome(at(1), "openai/gpt-5.5", 1.0, "check", task="code"))
        assert router.recorder.flush() is None
        db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def place(used: Path, tmp_path: Path) -> Path:
    """Return a copy in a folder of its own, so that the folder's mode can be set."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return Path(shutil.copy(used, folder / "registry.db"))


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    place.chmod(0o400)
    place.parent.chmod(0o500)
    try:
        with held_to_modes():
            yield
    finally:
        place.parent.chmod(0o700)


@pytest.mark.parametrize(
    "words",
    [
        ("explain",),
        ("telemetry", "list"),
        ("telemetry", "stats"),
        ("telemetry", "export"),
        ("endpoints", "list"),
        ("roles", "show", "coder"),
        ("registry", "export"),
        ("registry", "check"),
        ("route", "--no-log", "hello"),
        ("scorer", "show"),
    ],
)
def test_what_only_reads_works_where_nothing_can_be_written(
    words: tuple[str, ...], rolecall: Rolecall, place: Path
) -> None:
    with read_only(place):
        ran = rolecall(*words, "--registry", place, env=KEY)
    assert (ran.exit_code, bool(ran.stdout)) == (0, True)
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_decision_there_is_made_and_said_not_to_be_recorded(
    rolecall: Rolecall, place: Path
) -> None:
    with read_only(place):
        ran = rolecall("route", "hello", "--registry", place, env=KEY)
    assert ran.exit_code == 0
    assert ran.stdout.startswith("openai/")
    assert ran.stderr == f"note: not recorded: cannot write the registry {place}\n"


def test_what_writes_is_refused_there_in_one_line(rolecall: Rolecall, place: Path) -> None:
    with read_only(place):
        ran = rolecall("roles", "remove", "coder", "--registry", place)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"error: cannot write the registry {place}\nhint: make the file")


def test_changes_that_stand_beside_the_file_are_not_passed_over(place: Path) -> None:
    place.with_name("registry.db-wal").write_bytes(b"anything")
    with (
        read_only(place),
        pytest.raises(RegistryUnusable, match=r"the latest changes of .* stand in .*-wal"),
    ):
        open_database(place)


def test_an_older_file_that_cannot_be_written_is_said_to_need_it(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA user_version = 9")
    with read_only(place), pytest.raises(RegistryUnusable, match="cannot be brought up to date"):
        open_database(place)


def readings(scorer: Scorer) -> dict[str, Callable[[Database], object]]:
    return {
        "export": export_document,
        "check": check_registry,
        "calls": lambda db: recent_calls(db, CallFilter(limit=None)),
        "statistics": lambda db: endpoint_statistics(db, ()),
        "tasks": lambda db: task_statistics(db, (), START),
        "explain": lambda db: explain_decision(db, None, RoutingChoices()),
        "conversation": lambda db: open_conversation(db, "talk", continue_last=False),
        "route": lambda db: decide(db, scorer),
        "feedback": lambda db: give_feedback(db, None, 1.0, None),
    }


def test_a_flipped_byte_is_no_bug_wherever_it_is(
    used: Path, tmp_path: Path, scorer: Scorer
) -> None:
    whole, chance = used.read_bytes(), random.Random(11)
    written = [place for place, byte in enumerate(whole) if byte]
    for number in range(200):
        where = chance.choice(written)
        content = bytearray(whole)
        content[where] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{number}.db"
        for read in readings(scorer).values():
            path.write_bytes(content)
            with suppress(RegistryError), open_database(path) as db:
                read(db)
            for beside in tmp_path.glob(f"{number}.db*"):
                beside.unlink()


@pytest.mark.parametrize("size", [1, 50, 100, 4096, 5000, 100_000])
def test_a_file_that_was_cut_is_refused(used: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.db"
    path.write_bytes(used.read_bytes()[:size])
    with pytest.raises(RegistryUnusable) as refused, open_database(path) as db:
        export_document(db)
    assert refused.value.hint
