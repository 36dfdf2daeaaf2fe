"""Real inference servers on loopback: started, waited for, asked without rolecall, killed."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

Kind = Literal["transformers", "llama"]
KEY = "sk-live-0123456789"
KEY_ENV = "LIVE_KEY"
CONTEXT_TOKENS = 4_096  # what llama.cpp takes; transformers minds no limit
_HERE = Path(__file__).parent
_READY_WITHIN_S = 120.0


@dataclass(frozen=True)
class Server:
    """One running server; `model` is what it calls its model."""

    kind: Kind
    model: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def root(self) -> str:
        """The address that the server's own paths are under."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The base URL of its chat completions."""
        return f"{self.root}/v1"

    def bare(self, messages: Sequence[dict[str, Any]], max_tokens: int) -> dict[str, Any]:
        """Return what the server itself answers, greedily and not streamed."""
        response = httpx.post(
            f"{self.base_url}/chat/completions",
            headers={"authorization": f"Bearer {KEY}"},
            json={
                "model": self.model,
                "messages": list(messages),
                "temperature": 0,
                "max_tokens": max_tokens,
            },
            timeout=60,
            trust_env=False,
        )
        found: dict[str, Any] = response.raise_for_status().json()
        return found


@contextmanager
def serving(kind: Kind, live: Path, made: Path) -> Iterator[Server]:
    """Run a server of the models in `made` until the block ends; `live` holds the programs."""
    port = _free_port()
    command = {
        "transformers": [
            *(str(live / "bin" / "transformers"), "serve", "tiny", "--device", "cpu"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        "llama": [
            *(str(live / "bin" / "python"), str(_HERE / "llama.py")),
            *(str(made / "tiny.gguf"), str(port), KEY),
        ],
    }[kind]
    log = made / f"{kind}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=made,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(made / "hub")},
        )
    server = Server(kind, "tiny", port, process)
    try:
        _wait(server, log)
        yield server
    finally:
        process.kill()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait(server: Server, log: Path) -> None:
    """Wait until the server says that it is ready."""
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if httpx.get(f"{server.root}/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    tail = log.read_text(errors="replace")[-2_000:]
    raise AssertionError(f"{server.kind} did not get ready: {tail}")
