"""Whatever is given, a command ends with a known exit code and a line that says why."""

from __future__ import annotations

import os
import random
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from rolecall.registry.storage.spool import has_lines, spool_path
from tests.calls.bad_inputs import CODES, KINDS, WIRES, BadInput, bad_input, spoilt
from tests.calls.serving import Serving
from tests.calls.test_hostile_text import STEERING
from tests.conftest import Result, Rolecall
from tests.faults.registry import Served
from tests.providers.loopback import Connection, Loopback

LONGEST_S = 20  # of a command that takes under one


class Hung(BaseException):
    """A command did not end."""


@contextmanager
def an_end() -> Iterator[None]:
    """Raise Hung inside the block if it takes too long."""

    def end(_number: int, _frame: Any) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(given: BadInput, rolecall: Rolecall, folder: Path) -> Result:
    """Write the files of an input and run its command among them."""
    for name, data in given.files.items():
        (folder / name).write_bytes(data)
    with an_end():
        return rolecall(*given.words, input=given.stdin, env=given.environment)


def assert_told(result: Result) -> None:
    """Hold an end against what every command promises."""
    assert result.exit_code in CODES
    assert "Traceback" not in result.stderr
    if result.exit_code in (1, 2, 3, 4, 6):
        if result.exit_code == 1 and result.stdout:
            return  # `registry check` found problems
        last = [line for line in result.stderr.splitlines() if not line.startswith("  ")]
        assert any(line.startswith(("error: ", "line ")) for line in last), result
        assert not any(STEERING.search(line) for line in last), result


@pytest.mark.parametrize("kind", KINDS)
def test_no_input_ends_in_a_traceback_or_never(
    kind: str,
    serving: Serving,
    rolecall: Rolecall,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    registry = Path(os.environ["ROLECALL_REGISTRY"])
    body = [b""]
    failures = []

    def answer(connection: Connection) -> None:
        connection.head("application/x-ndjson" if body[0].startswith(b"{") else "text/event-stream")
        connection.send(body[0])

    with Loopback(answer) as loopback:
        serving.register(
            *(Served(endpoint=f"{api}/m", api=api, base_url=loopback.url) for api in WIRES)  # type: ignore[arg-type]
        )
        sound = registry.read_bytes()
        monkeypatch.chdir(tmp_path)
        for number in range(request.config.getoption("--bad-inputs")):
            given = bad_input(kind, number)
            body[0] = given.answer[1] if given.answer else WIRES["openai"].encode()
            if given.spoils_registry:
                registry.write_bytes(spoilt(sound, random.Random(number)))
            if given.spooled is not None:
                spool_path(registry).write_bytes(given.spooled)
            try:
                assert_told(run(given, rolecall, tmp_path))
                assert given.spooled is None or not has_lines(registry)
            except (Exception, Hung) as error:  # noqa: BLE001
                place = traceback.extract_tb(error.__traceback__)[-1]
                at = f"{place.filename.rpartition('/rolecall/')[2]}:{place.lineno}"
                failures.append(
                    f"{kind} {number}: {type(error).__name__} at {at}: {error}: {given}"
                )
            if number % 10 == 0 or given.spoils_registry or given.spooled:
                for left in registry.parent.glob(f"{registry.name}*"):
                    left.unlink()
                registry.write_bytes(sound)
    assert not failures, "\n".join(failures)


def test_a_strategy_that_names_60_000_endpoints_decides_at_once(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    names = [f"lab/{number}" for number in range(60_000)]
    serving.apply(f"strategies: [{{id: long, deny: {names}}}]")
    started = process_time()
    assert rolecall("route", "hi", "--strategy", "long").stdout == "openai/m\n"
    assert process_time() - started < 10  # comparing each with each takes 20 s
