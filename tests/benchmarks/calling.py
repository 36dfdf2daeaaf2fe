"""What `rolecall ask` adds to a bare httpx stream of the same answer from the same server."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from rolecall.registry.calls.ask import Asker, open_asker
from rolecall.registry.calls.events import AskRequest
from rolecall.registry.core.chat import Chat, Text, TextDelta, Turn
from rolecall.registry.core.entities import Endpoint, Model
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.protocol import Target

HERE = Path(__file__).parent
PROMPT = "Explain why quicksort degrades to O(n^2) on sorted input."
CHAT = Chat((Turn("user", (Text(PROMPT),)),))
ENDPOINT = "bench/m"
# The server is a process of its own, so that it does not take turns with what is timed.
SERVER = """
import sys, time
from tests.faults.plan import Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer
text = "Sorted input makes every pivot the worst one. " * 25
with FaultServer(Plan(text, output_tokens=250, first_delay_s=float(sys.argv[1]))) as server:
    print(server.base_url("openai"), flush=True)
    open(sys.argv[2], "w").write(registry_yaml(server, [Served(endpoint="bench/m")]))
    print("ready", flush=True)
    sys.stdin.read()
"""
BARE = """
import json, sys, httpx
body = json.loads(sys.argv[2])
with httpx.Client() as client, client.stream("POST", sys.argv[1], json=body) as answer:
    for line in answer.iter_lines():
        pass
"""
Times = tuple[float, float]


def report(rounds: int = 60, cold_rounds: int = 10) -> None:
    """Print first token and total, warm and cold, as ratios taken round by round."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), 0.0) as url:
        print(f"one answer in 200 pieces, loopback, median milliseconds of {rounds} rounds")
        print(f"{'warm, in one process':<30} {'first':>8} {'total':>8}   / bare httpx")
        _warm(url, rounds)
        print(f"{f'cold, whole processes ({cold_rounds})':<30} {'':>8} {'total':>8}   / bare httpx")
        _cold(url, cold_rounds)


@contextmanager
def serving(folder: Path, first_delay_s: float) -> Iterator[str]:
    """Yield the URL of a server whose one endpoint is the whole registry."""
    os.environ["ROLECALL_REGISTRY"] = str(folder / "registry.db")
    document = folder / "registry.yaml"
    command = [sys.executable, "-c", SERVER, str(first_delay_s), str(document)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=HERE.parents[1], text=True, **pipes) as server:  # type: ignore[call-overload]
        url = server.stdout.readline().strip()
        server.stdout.readline()
        apply = [_program(), "registry", "apply", str(document)]
        subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
        yield f"{url}/chat/completions"
        server.stdin.close()


def _program() -> str:
    return str(Path(sys.executable).with_name("rolecall"))


def _body() -> dict[str, object]:
    return {
        "model": "m",
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _warm(url: str, rounds: int) -> None:
    endpoint = Endpoint(ENDPOINT, "m", base_url=url.removesuffix("/chat/completions"))
    target = Target(endpoint, Model("m"))
    wanted = AskRequest(CHAT, RoutingChoices(log_prompt=False))
    with (
        httpx.Client() as bare,
        Client() as client,
        open_registry(None) as db,
        open_asker(db) as asker,
    ):
        actions: dict[str, Callable[[], Times]] = {
            "bare httpx": lambda: _bare(bare, url),
            "bare httpx, new connection": lambda: _bare_anew(url),
            "transport": lambda: _transport(client, target),
            "ask": lambda: _asked(asker, wanted),
        }
        _print(actions, rounds)


def _print(actions: dict[str, Callable[[], Times]], rounds: int) -> None:
    times: dict[str, list[Times]] = {name: [] for name in actions}
    for round_ in range(rounds + 3):
        for name, action in actions.items():
            taken = action()
            if round_ >= 3:
                times[name].append(taken)
    for name, taken_ in times.items():
        first, total = (statistics.median(column) for column in zip(*taken_, strict=True))
        pairs = zip(taken_, times["bare httpx"], strict=True)
        ratio = statistics.median(ours[1] / bare[1] for ours, bare in pairs)
        print(f"{name:<30} {first * 1000:8.2f} {total * 1000:8.2f}   {ratio:6.2f}")


def _bare(client: httpx.Client, url: str) -> Times:
    started = time.perf_counter()
    first = None
    with client.stream("POST", url, json=_body()) as answer:
        for line in answer.iter_lines():
            if first is None and '"content":"S' in line:
                first = time.perf_counter() - started
            if line.startswith("data: {"):
                json.loads(line[6:])
    return first or 0.0, time.perf_counter() - started


def _bare_anew(url: str) -> Times:
    with httpx.Client() as client:
        return _bare(client, url)


def _transport(client: Client, target: Target) -> Times:
    started = time.perf_counter()
    first = None
    for event in client.call(target, CHAT):
        if first is None and isinstance(event, TextDelta):
            first = time.perf_counter() - started
    return first or 0.0, time.perf_counter() - started


def _asked(asker: Asker, wanted: AskRequest) -> Times:
    started = time.perf_counter()
    first = None
    for event in asker.ask(wanted):
        if first is None and isinstance(event, TextDelta):
            first = time.perf_counter() - started
    return first or 0.0, time.perf_counter() - started


def _cold(url: str, rounds: int) -> None:
    bare = [sys.executable, "-c", BARE, url, json.dumps(_body())]
    commands = {
        "python, httpx": bare,
        "rolecall ask": [_program(), "ask", PROMPT, "-q"],
        "rolecall route": [_program(), "route", PROMPT],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(rounds + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if round_:
                times[name].append(time.perf_counter() - started)
    for name, taken in times.items():
        pairs = zip(taken, times["python, httpx"], strict=True)
        ratio = statistics.median(ours / bare_s for ours, bare_s in pairs)
        print(f"{name:<30} {'':>8} {statistics.median(taken) * 1000:8.0f}   {ratio:6.2f}")


if __name__ == "__main__":
    report()
