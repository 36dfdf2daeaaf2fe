"""The key of an endpoint is in no output and in no file, whatever a server does with it."""

from __future__ import annotations

import base64
import html
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from rolecall.cli.render.answer import Manner, show_answer
from rolecall.registry.calls.ask import Asker
from rolecall.registry.calls.events import AskRequest
from rolecall.registry.core.chat import Chat, Text, Timeouts, Turn
from rolecall.registry.core.entities import Api
from rolecall.registry.core.errors import RegistryError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.calls import CallFilter, recent_calls
from rolecall.registry.storage.turns import read_turns
from tests.calls.matrix import APIS
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import FAULTS, At, Plan
from tests.faults.registry import Served

KEY = 'sk-kum/quat+4711"<9~\\z='
NAME = "NOBODYS_API_KEY"
PLACES: tuple[At, ...] = ("before", "middle")
HELLO = Chat((Turn("user", (Text("hello"),)),))


def forms(key: str) -> set[bytes]:
    """Return the key as it may stand in a text, a URL, JSON, a page or a header."""
    data = key.encode()
    texts = {
        key,
        quote(key),
        quote(key, safe=""),
        quote_plus(key),
        json.dumps(key)[1:-1],
        json.dumps(key).replace("/", "\\/")[1:-1],
        json.dumps(json.dumps(key)[1:-1])[1:-1],
        html.escape(key),
        repr(key)[1:-1],
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        data.hex(),
    }
    return {text.encode() for text in texts}


def leaks(data: bytes | str) -> list[bytes]:
    """Return every form of the key that stands in the data."""
    found = data.encode() if isinstance(data, str) else data
    return [form for form in forms(KEY) if form in found]


def leaking_files(folder: Path) -> list[str]:
    """Return the files of a folder in which the key stands."""
    return [str(file) for file in folder.rglob("*") if file.is_file() and leaks(file.read_bytes())]


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    tempfile.tempdir = None


def test_the_search_finds_each_form(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"\0" + base64.b64encode(KEY.encode()))
    (tmp_path / "other").write_text("nothing")
    assert leaking_files(tmp_path) == [str(tmp_path / "inner" / "file")]
    for form in forms(KEY):
        assert leaks(b"before " + form + b" after")


@pytest.mark.parametrize("api", APIS)
def test_no_failure_tells_the_key(
    serving: Serving,
    scorer: Scorer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    api: Api,
) -> None:
    caplog.set_level("DEBUG")
    places = [(fault, at) for fault in FAULTS for at in PLACES]
    served = []
    for fault, at in places:
        name = f"{fault}-{at}"
        url = serving.server.refusing_url(api) if fault == "refuse" else None
        served.append(
            Served(endpoint=f"{api}/{name}", api=api, model="same", base_url=url, key_env=NAME)
        )
        serving.server.plan(name, Plan(fault=fault, at=at, echo_key=True))
    serving.register(*served)
    environment = {NAME: KEY}
    with open_registry(None) as db, Client(timeouts=Timeouts(0.1, 0.1, 0.1)) as client:
        router = Router(db, scorer=scorer, environment=environment)
        asker = Asker(db, router, client, environment=environment, pause=lambda _: None)
        for number, (fault, at) in enumerate(places):
            wanted = AskRequest(HELLO, RoutingChoices(endpoints=(f"{api}/{fault}-{at}",)))
            manner = Manner(is_live=number % 2 == 0, as_json=number % 2 == 1)
            with pytest.raises(RegistryError) as raised:
                show_answer(asker.ask(wanted), manner)
            assert leaks(f"{raised.value.message} {raised.value.hint} {raised.value!r}") == []
        stored = recent_calls(db, CallFilter(limit=None))
        assert {call.endpoint.rpartition("/")[2] for call in stored} == {
            f"{fault}-{at}" for fault, at in places
        }
        beside = sorted(file.name for file in tmp_path.glob("registry.db*"))
        assert beside == ["registry.db", "registry.db-shm", "registry.db-wal"]
        assert leaking_files(tmp_path) == []
    shown = capsys.readouterr()
    assert leaks(shown.out) + leaks(shown.err) == []
    assert leaks(caplog.text) == []
    sent = [" ".join(request.headers.values()) for request in serving.server.requests]
    refused = sum(call.endpoint.startswith(f"{api}/refuse-") for call in stored)
    assert len(sent) == len(stored) - refused
    assert all(KEY in headers for headers in sent)
    assert "[key]" in repr(stored), "the server did repeat it"


@pytest.mark.parametrize(("api", "how"), [("openai", "key_env"), ("gemini", "key_command")])
def test_no_command_tells_the_key(
    serving: Serving,
    rolecall: Rolecall,
    tmp_path: Path,
    api: Api,
    how: str,
) -> None:
    source = {"key_env": NAME, "key_command": f'printf "%s\\n" "${NAME}"'}[how]
    served = [
        Served(endpoint=f"{api}/{name}", api=api, model="same", **{how: source})  # type: ignore[arg-type]
        for name in ("refusing", "breaking", "sound")
    ]
    serving.register(*served)
    serving.server.plan("refusing", Plan(fault="bad_key", echo_key=True))
    serving.server.plan(
        "breaking",
        Plan(text=f"half {'of it ' * 9}", fault="rate_limit", at="middle", echo_key=True),
    )
    folder = tmp_path / "beside.db"
    commands: list[tuple[str | Path, ...]] = [
        ("ask", "hello"),
        ("ask", "hello", "-e", f"{api}/sound", "--json", "--no-stream"),
        ("ask", "hello", "-e", f"{api}/refusing"),
        ("ask", "hello", "-e", f"{api}/breaking", "--json"),
        ("ask", "hello", "-e", f"{api}/sound", "-c", "--check", "env | grep -c x"),
        ("explain",),
        ("explain", "--json"),
        ("probe", f"{api}/sound", "--json"),
        ("telemetry", "list", "--json"),
        ("telemetry", "stats"),
        ("telemetry", "export", "--format", "jsonl"),
        ("telemetry", "export", "--format", "csv"),
        ("telemetry", "export", "--format", "otlp-json"),
        ("endpoints", "show", f"{api}/sound"),
        ("registry", "export"),
        ("registry", "check"),
        ("registry", "backup", folder),
    ]
    for words in commands:
        result = rolecall(*words, env={NAME: KEY})
        assert leaks(result.stdout) + leaks(result.stderr) == [], words
        assert leaking_files(tmp_path) == [], words
    headers = [str(request.headers) for request in serving.server.requests]
    assert len(headers) >= 6
    assert all("kum/quat" in one for one in headers)
    assert folder.exists()


@pytest.mark.parametrize("bad", [f"{KEY}\n{KEY}", f"{KEY}\u2013", f"\x07{KEY}"])
def test_a_key_that_no_header_can_hold_is_told_of_without_it(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, bad: str
) -> None:
    serving.one(key_env=NAME)
    result = rolecall("ask", "hello", env={NAME: bad})
    assert result.exit_code == 4
    assert f"(from {NAME}) holds characters that no header can" in result.stderr
    assert leaks(result.stdout + result.stderr) == []
    assert serving.server.requests == []
    assert leaking_files(tmp_path) == []


def test_a_key_that_someone_put_into_the_url_is_not_repeated(
    serving: Serving, rolecall: Rolecall
) -> None:
    port = serving.server.port
    serving.register(
        Served(
            endpoint="openai/m", base_url=f"http://127.0.0.1:{port}/v1?key={quote(KEY, safe='')}"
        )
    )
    serving.server.plan("m", Plan(fault="bad_request"))
    result = rolecall("ask", "hello")
    assert result.exit_code == 4
    assert leaks(result.stdout + result.stderr) == []
    stored = [str(call) for call in serving.calls()]
    assert len(stored) == 1
    assert leaks("".join(stored)) == []


@pytest.mark.parametrize("cut", range(9, len(KEY), 4))
def test_a_key_that_a_long_message_is_cut_in_is_not_told_by_half(
    serving: Serving, rolecall: Rolecall, cut: int
) -> None:
    longest = 300
    around = (
        "status 404: models/ is not found for API version v1beta, or is not supported for "
        "generateContent. Call ListModels to see the list of available models. (key: "
    )
    name = "m" * (longest - len(around) - cut)
    serving.one("gemini", key_env=NAME, remote_model=name)
    serving.server.plan(name, Plan(fault="not_found", echo_key=True))
    result = rolecall("ask", "hello", env={NAME: KEY})
    [call] = serving.calls()
    assert call.detail is not None
    assert name in call.detail
    assert KEY[:6] not in call.detail
    assert KEY[:6] not in result.stderr


@pytest.mark.parametrize("api", APIS)
def test_an_answer_that_repeats_the_key_is_printed_as_it_is_and_stored_without_it(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    told = f"your key is {KEY}, in base64 {base64.b64encode(f'u:{KEY}'.encode()).decode()}."
    call = ("keep", json.dumps({"key": KEY}))
    serving.register(Served(endpoint=f"{api}/m", api=api, key_env=NAME))
    serving.server.plan("m", Plan(text=told, thinking=told, tool_calls=(call,)))
    tools, schema = tmp_path / "tools.json", tmp_path / "schema.json"
    tools.write_text('[{"name": "keep", "parameters": {"type": "object"}}]')
    schema.write_text('{"type": "object"}')
    words = ("--tools", tools, "--schema", schema, "--check", f"! grep -q {KEY}")
    result = rolecall("ask", "what is my key?", *words, env={NAME: KEY})
    assert KEY in result.stdout
    assert leaks(result.stderr) == []
    assert leaking_files(tmp_path) == []
    with open_registry(None) as db:
        [_, answer] = read_turns(db, serving.calls()[0].conversation_id or "")
    assert "your key is [key], in base64" in repr(answer)
