"""Real servers for the tests in here; without `make test-live` they are skipped.

ROLECALL_LIVE names the virtual environment that holds the servers.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.program import run
from tests.live.servers import KEY, KEY_ENV, Server, serving

LIVE = os.environ.get("ROLECALL_LIVE")
_HERE = Path(__file__).parent
_PRICE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2, "source": "test"}

Register = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is in this folder where there are no servers."""
    if LIVE is not None:
        return
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.skip("no real servers here: make test-live"))


@pytest.fixture(scope="session")
def live() -> Path:
    """Return the virtual environment of the servers."""
    assert LIVE is not None
    return Path(LIVE).resolve()


@pytest.fixture(scope="session")
def made(live: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tiny model, made on the spot."""
    folder = tmp_path_factory.mktemp("model")
    command = [live / "bin" / "python", _HERE / "model.py", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def transformers(live: Path, made: Path) -> Iterator[Server]:
    with serving("transformers", live, made) as server:
        yield server


@pytest.fixture(scope="session")
def llama(live: Path, made: Path) -> Iterator[Server]:
    with serving("llama", live, made) as server:
        yield server


@pytest.fixture(params=["transformers", "llama"])
def server(request: pytest.FixtureRequest) -> Server:
    """Return each of the two, shared by all tests."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found


@pytest.fixture(params=["transformers", "llama"])
def own_server(request: pytest.FixtureRequest, live: Path, made: Path) -> Iterator[Server]:
    """Return each of the two, to be killed."""
    with serving(request.param, live, made) as server:
        yield server


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Return a function that makes servers the only endpoints; its words change all of them.

    An endpoint is called as its server's kind; the key of both is in the environment.
    """
    monkeypatch.setenv(KEY_ENV, KEY)

    def apply(*servers: Server, **changed: Any) -> None:
        model = {"id": "tiny", "capabilities": ["tools", "json_schema"]}
        endpoints = [_endpoint(server) | changed for server in servers]
        file = tmp_path / "registry.yaml"  # JSON is YAML
        file.write_text(json.dumps({"models": [model], "endpoints": endpoints}))
        applied = run("registry", "apply", file, "--prune")
        assert applied.exit_code == 0, applied.stderr

    return apply


def _endpoint(server: Server) -> dict[str, Any]:
    return {
        "id": f"{server.kind}/tiny",
        "model": "tiny",
        "api": "openai",
        "base_url": server.base_url,
        "remote_model": server.model,
        "key_env": KEY_ENV,
        "price": _PRICE,
    }
