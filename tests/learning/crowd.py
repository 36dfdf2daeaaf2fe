"""Many processes ask at once on one registry; then rows, statistics and spending must agree."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

from rolecall.registry.calls.ask import open_asker
from rolecall.registry.calls.events import Answered, AskRequest
from rolecall.registry.core.chat import Chat, Text, Turn
from rolecall.registry.core.entities import Price
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.telemetry.feedback import give_feedback
from tests.faults.plan import Plan
from tests.faults.registry import Served
from tests.faults.server import FaultServer
from tests.learning.auditing import audit, serving

# Whoever may ask the shaky one does so first.
CHEAPER = Price(0.5, 1.0, source="test")
SERVED = (
    Served(endpoint="openai/m", remote_model="steady"),
    Served(endpoint="anthropic/m", api="anthropic", remote_model="shaky", price=CHEAPER),
)
# One in eight fails before it says anything, one in eight in the middle: the first ones do.
SHAKY = (Plan(fault="server_error"), Plan(fault="cut", at="middle"), *(Plan(),) * 6)
FEEDBACK_EVERY = 10
PROCESS = (sys.executable, "-m", "tests.learning.crowd")


def crowd(folder: Path, processes: int, asks: int) -> dict[str, int]:
    """Let so many processes ask so often; return what was found. Raises AssertionError."""
    with FaultServer() as server:
        server.plan("shaky", *islice(cycle(SHAKY), 2 * processes * asks), Plan())
        path, environment = serving(folder, server, SERVED)
        running = [
            subprocess.Popen(
                [*PROCESS, str(worker), str(asks)],
                env=environment,
                cwd=Path(__file__).parents[2],
            )
            for worker in range(processes)
        ]
        codes = [process.wait() for process in running]
        received = list(server.requests)
    assert codes == [0] * processes, codes
    found = audit(path, received)
    assert found["unfinished"] == 0
    assert found["calls"] - found["failed"] == processes * asks, "an ask got no answer, or two"
    return {"asks": processes * asks, "received": len(received)} | found


def work(worker: int, asks: int) -> None:
    """Ask in this process; half of the workers may ask the shaky endpoint too, and fall back."""
    choices = RoutingChoices(
        strategy="cheapest", app="crowd", endpoints=("openai/m", "anthropic/m")[: 1 + worker % 2]
    )
    with open_registry(None) as db, open_asker(db) as asker:
        for number in range(asks):
            prompt = f"prompt number {worker * 100_000 + number}"
            chat = Chat((Turn("user", (Text(prompt),)),))
            *_, last = asker.ask(AskRequest(chat, choices))
            assert isinstance(last, Answered)
            if number % FEEDBACK_EVERY == 0:
                _judge(worker)


def _judge(worker: int) -> None:
    # The latest decision, anyone's, may have no answer yet.
    with suppress(UsageError), open_registry(None) as db:
        give_feedback(db, None, (0.8, 1.0)[worker % 2], None)


if __name__ == "__main__":
    work(*map(int, sys.argv[1:]))
