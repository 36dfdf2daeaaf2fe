"""The installed command as a process: kinds of stdin, closed pipes, interrupts."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import heeding_ctrl_c

if TYPE_CHECKING:
    from tests.conftest import Rolecall

PROGRAM = str(Path(sys.executable).with_name("rolecall"))
ANYTHING: Any = type("Anything", (), {"__eq__": lambda *_: True})()
CLOSED = "error: cannot write the answer: stdout is closed\n"
FULL = "error: cannot write the answer: no space left on device\n"
STARTED = """
import sys
from rolecall.cli.main import run
sys.argv[0] = "rolecall"
sys.stderr.write("started\\n")
run()
"""
READ_PROMPT = """
import sys
from rolecall.cli.errors import guarded
from rolecall.cli.input.prompts import Given, read_request
argument = sys.argv[1] if len(sys.argv) > 1 else None
prompt = lambda: read_request(Given(argument)).turns[-1].parts[-1].text
sys.exit(guarded(lambda: sys.stdout.write(prompt()) and 0))
"""

READ_FILE = """
import sys
from pathlib import Path
from rolecall.cli.input.files import read_text
from rolecall.registry.core.errors import InvalidPrompt
sys.stdout.write(read_text(Path(sys.argv[1]), InvalidPrompt))
"""


def read_prompt(*words: str, stdin: int) -> tuple[int, str, str]:
    ran = subprocess.run(
        [sys.executable, "-c", READ_PROMPT, *words],
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_a_pipe_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe\n")
    os.close(writer)
    assert read_prompt("and then?", stdin=reader) == (0, "from a pipe\n\nand then?", "")
    os.close(reader)


def test_a_silent_pipe_is_told_of_and_read() -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", READ_PROMPT, "and then?"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as started:
        assert started.stderr is not None
        said = started.stderr.readline().decode()
        assert said == (
            "note: reading from a pipe that is silent so far; without one: < /dev/null\n"
        )
        out, rest = started.communicate(b"late", timeout=30)
    assert (started.returncode, out, rest) == (0, b"late\n\nand then?", b"")


def test_a_pipe_with_a_name_that_nobody_writes_to_yet_is_told_of_and_read(tmp_path: Path) -> None:
    pipe, kept = tmp_path / "pipe", subprocess.PIPE
    os.mkfifo(pipe)
    command = [sys.executable, "-c", READ_FILE, str(pipe)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=kept, stderr=kept) as started:
        assert started.stderr is not None
        said = started.stderr.readline().decode()
        assert said == f"note: reading from {pipe}, a pipe that is silent so far\n"
        pipe.write_bytes(b"late")
        out, rest = started.communicate(timeout=30)
    assert (started.returncode, out, rest) == (0, b"late", b"")


def test_a_socket_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert read_prompt("hello", stdin=theirs.fileno()) == (0, "hello", "")


def test_a_terminal_is_not_waited_for() -> None:
    master, terminal = pty.openpty()
    assert read_prompt("hello", stdin=terminal) == (0, "hello", "")
    code, out, err = read_prompt(stdin=terminal)
    assert (code, out) == (2, "")
    assert err == 'error: there is no prompt\nhint: rolecall route "why does this deadlock?"\n'
    os.close(master)
    os.close(terminal)


def test_a_device_is_not_waited_for() -> None:
    assert read_prompt("hello", stdin=subprocess.DEVNULL) == (0, "hello", "")


@pytest.mark.parametrize("words", [["--help"], ["registry", "export"]])
def test_a_closed_pipe_ends_it_quietly(words: list[str], rolecall: Rolecall) -> None:
    rolecall("roles", "list")
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [PROGRAM, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("roles show nobody 2>&-", (2, "", "")),
        ("roles list >&-", (1, "", CLOSED)),
        ("roles list 1< /dev/null", (1, "", CLOSED)),
        ("roles list <&-", (0, ANYTHING, "")),
        ("roles list <&- >&-", (1, "", CLOSED)),
        ("roles list > /dev/full", (1, "", FULL)),
        ("--help > /dev/full", (1, "", FULL)),
        ("--version >&-", (1, "", CLOSED)),
        ("registry export > /dev/full", (1, "", FULL)),
        ("route hi > /dev/full", (1, "", FULL)),
        ("route hi --json >&-", (1, "", CLOSED)),
        ("help calls > /dev/full", (1, "", FULL)),
        ("completion bash > /dev/full", (1, "", FULL)),
        ("roles show nobody 2> /dev/full", (2, "", "")),
        ("route hi 2> /dev/full", (0, ANYTHING, "")),
        ("registry backup >&- 2>&-", (1, "", "")),
    ],
)
def test_a_closed_or_full_stream_is_no_bug(
    line: str, expected: tuple[int, str, str], rolecall: Rolecall
) -> None:
    rolecall("roles", "list")
    ran = subprocess.run(
        ["bash", "-c", f'"{PROGRAM}" {line}'],
        env=os.environ | {"OPENAI_API_KEY": "placeholder"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == expected


def test_a_character_that_stdout_cannot_encode_is_escaped(rolecall: Rolecall) -> None:
    rolecall("route", "hi", env={"OPENAI_API_KEY": "placeholder"})
    ran = subprocess.run(
        [PROGRAM, "explain"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\\u25b8" in ran.stdout


def test_ctrl_c_is_quiet_and_exits_with_130(tmp_path: Path) -> None:
    fifo = tmp_path / "prompt"
    os.mkfifo(fifo)
    pipe = subprocess.PIPE
    command = [PROGRAM, "registry", "apply", str(fifo)]
    started = subprocess.Popen(
        command,
        stdout=pipe,
        stderr=pipe,
        text=True,
        # Under nohup, or behind &, these tests ignore Ctrl-C, and a child would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # Opening our end returns when the command has opened its own, and so is reading.
    with started as waiting, fifo.open("w"):
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("after_s", [0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_any_moment_of_a_start_is_quiet(
    after_s: float, number: signal.Signals, rolecall: Rolecall
) -> None:
    rolecall("roles", "list")
    pipe = subprocess.PIPE
    for words in (["route", "hello"], ["registry", "export"], ["--help"]):
        with (
            heeding_ctrl_c(),
            subprocess.Popen([sys.executable, "-c", STARTED, *words], stderr=pipe) as started,
        ):
            assert started.stderr is not None
            assert started.stderr.readline() == b"started\n"
            # The one wait of these tests: what is interrupted is whatever happens to be running.
            time.sleep(after_s)
            started.send_signal(number)
            try:
                _, rest = started.communicate(timeout=60)
            finally:
                started.kill()
        # By the signal itself once all is done and the interpreter is ending.
        assert started.returncode in (130, 0, 3, -number)
        assert b"Traceback" not in rest
    assert rolecall("registry", "check").exit_code == 0


def test_a_hangup_that_is_ignored_stays_so(rolecall: Rolecall) -> None:
    rolecall("roles", "list")
    ran = subprocess.run(
        ["bash", "-c", f"trap '' HUP; '{PROGRAM}' roles list & sleep 0.1; kill -HUP $!; wait $!"],
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0
