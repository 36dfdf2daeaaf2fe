"""A registry and a home of their own for every test, and golden texts."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import settings

from rolecall.cli.main import run

if TYPE_CHECKING:
    from rolecall.registry.scorer.encoder import Encoder

# A busy machine makes no test fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

GOLDEN = Path(__file__).parent / "golden"
JUDGED = Path(os.environ["ROLECALL_DATA"]) if "ROLECALL_DATA" in os.environ else None
KEYS = ("API_KEY", "API_TOKEN", "ACCESS_KEY")


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


class Rolecall(Protocol):
    """Run `rolecall` in this process, as the console script would.

    `input` is stdin as a redirected file; without it stdin is a device, as under cron. With
    `on_terminal` stdout and stderr are a terminal.
    """

    def __call__(
        self,
        *args: str | Path,
        input: str | bytes | None = None,  # noqa: A002
        env: Mapping[str, str] | None = None,
        on_terminal: bool = False,
    ) -> Result: ...


Golden = Callable[[str, str], None]


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Let what is started meanwhile heed Ctrl-C, also where the tests run with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite the expected texts")
    parser.addoption("--require-data", action="store_true", help="fail where data is missing")
    parser.addoption("--bad-inputs", type=int, default=12, help="bad inputs of each kind to try")


@pytest.fixture
def no_invalid_name_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find no address of a name under `.invalid`, without asking any network."""
    look_up = socket.getaddrinfo

    def known(host: str, *rest: Any, **more: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", known)


@pytest.fixture
def judged_folder(request: pytest.FixtureRequest) -> Path:
    """Return the folder of judged rows; without it the test is skipped, or fails if required."""
    beside = Path(__file__).parent.parent / "../shared/data/judged"
    folder = JUDGED or beside
    if not folder.is_dir():
        reason = f"no judged rows at {folder} (set ROLECALL_DATA)"
        if request.config.getoption("--require-data"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the golden file of that name, or rewrite it under --golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"no {path.name} yet: make golden"
        assert text == path.read_text()

    return compare


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point HOME, the registry and the terminal at nothing of the person's who runs the tests."""
    home = tmp_path / "home"
    home.mkdir()
    for name in list(os.environ):
        if name.endswith(KEYS) or name.startswith(("ROLECALL_", "XDG_")):
            monkeypatch.delenv(name)
    for name in ("VISUAL", "EDITOR", "NO_COLOR", "FORCE_COLOR", "LINES", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ROLECALL_REGISTRY", str(tmp_path / "registry.db"))
    return home


@pytest.fixture(scope="session", autouse=True)
def examples_encoded_once() -> Iterator[None]:
    """Encode each example of a registry once for all tests: every fresh registry has hundreds."""
    from rolecall.registry.scorer.nearest import encode_examples

    known: dict[tuple[str, ...], bytes] = {}

    def remembered(encoder: Encoder, texts: Sequence[str]) -> bytes:
        key = (encoder.version, *texts)
        if key not in known:
            known[key] = encode_examples(encoder, texts)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rolecall.registry.routing.task_detection.encode_examples", remembered)
        yield


@pytest.fixture
def rolecall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rolecall:
    """Return a function that runs one command and returns exit code, stdout and stderr."""

    def call(
        *args: str | Path,
        input: str | bytes | None = None,  # noqa: A002
        env: Mapping[str, str] | None = None,
        on_terminal: bool = False,
    ) -> Result:
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["rolecall", *map(str, args)])
            for stream in _stdin(tmp_path, input):
                patch.setattr(sys, "stdin", stream)
                return _captured(patch, Screen if on_terminal else io.TextIOWrapper)
        raise AssertionError("stdin could not be opened")

    return call


def _stdin(folder: Path, text: str | bytes | None) -> Iterator[io.TextIOWrapper]:
    path = Path(os.devnull)
    if text is not None:
        path = folder / "stdin"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with path.open() as stream:
        yield stream


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def _captured(patch: pytest.MonkeyPatch, stream: type[io.TextIOWrapper]) -> Result:
    written = io.BytesIO(), io.BytesIO()
    out, err = (
        stream(one, encoding="utf-8", errors=errors, write_through=True)
        for one, errors in zip(written, ("strict", "backslashreplace"), strict=True)
    )
    patch.setattr(sys, "stdout", out)
    patch.setattr(sys, "stderr", err)
    exit_code = 0
    before = set(threading.enumerate())
    try:
        run()
    except SystemExit as ended:
        exit_code = int(ended.code or 0)
    for thread in set(threading.enumerate()) - before:
        if not thread.daemon:  # a process waits for these too; many scorers at once fill a machine
            thread.join()
    texts = [one.getvalue().decode() for one in written]
    return Result(exit_code, *texts)
