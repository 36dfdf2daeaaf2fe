"""`rolecall telemetry` as typed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rolecall.cli.render.calls import age, print_calls, print_statistics, statistics_to_plain
from rolecall.cli.render.files import write_pieces
from rolecall.registry.core.telemetry import Call, EndpointStatistics, Outcome, OutcomeStatistics
from rolecall.registry.storage.calls import insert_call
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import insert_outcome
from rolecall.registry.storage.statistics import write_outcome_statistics, write_statistics
from tests.storage.test_decisions import DECISION

if TYPE_CHECKING:
    from tests.conftest import Rolecall

FAR = "2999-01-01T00:00:00.000000+00:00"


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat(timespec="microseconds")


@pytest.fixture
def desk(rolecall: Rolecall, tmp_path: Path) -> Rolecall:
    """Return `rolecall` on a registry with one decision, three calls and an outcome."""
    rolecall("endpoints", "list")
    decision = DECISION.id
    failed = Call(
        "fail", ago(hours=5, minutes=1), "openai/gpt-5-mini", 1, decision, error_type="auth"
    )
    good = Call("good", ago(hours=5), "ollama/qwen3-8b", 2, decision, input_tokens=1234)
    with open_database(tmp_path / "registry.db") as db:
        insert_decision(db, replace(DECISION, created_at=ago(hours=6)))
        for call in (failed, good):
            insert_call(db, call)
        insert_call(db, Call("run", ago(seconds=2), "ollama/qwen3-8b", reserved_usd=0.01639))
        db.run(
            "UPDATE calls SET finished_at = ?, detail = 'bad \x1b[31mkey', cost_usd = 0.00131,"
            " duration_s = 4.25, time_to_first_chunk_s = 0.5 WHERE id <> 'run'",
            (ago(hours=4),),
        )
        insert_outcome(db, Outcome(ago(), "ollama/qwen3-8b", 0.9, "human", decision, predicted=0.6))
        write_statistics(db, STATISTICS)
        write_outcome_statistics(
            db, OutcomeStatistics("ollama/qwen3-8b", "code", ago(), 4, 0.75, 4.0, 2.0)
        )
    return rolecall


STATISTICS = EndpointStatistics(
    endpoint="ollama/qwen3-8b",
    updated_at=ago(),
    calls=8,
    failed=1,
    errors=(("auth", 1),),
    sampled_at=ago(hours=3, minutes=1),
    ttft_p50_s=0.25,
    ttft_p95_s=1.5,
    itl_p50_s=0.0123,
    itl_p95_s=0.04,
    input_tokens=9000,
    output_tokens=321,
    cost_usd=0.5,
    unpriced=1,
    open_until=FAR,
    asked_s=9e10,
    opened_because="auth",
)


def test_calls_are_listed_newest_first(desk: Rolecall) -> None:
    done = desk("telemetry", "list")
    assert (done.exit_code, done.stderr) == (0, "")
    title, *rows = [line.split() for line in done.stdout.splitlines()]
    assert title[:4] == ["when", "endpoint", "result", "first"]
    assert [row[1:4] for row in rows] == [
        ["s", "ollama/qwen3-8b", "unfinished"],
        ["h", "ollama/qwen3-8b", "ok"],
        ["h", "openai/gpt-5-mini", "auth"],
    ]
    assert rows[0][0] in ("2", "3", "4")
    assert rows[1][4:10] == ["0.5", "s", "4.25", "s", "1,234/?", "$0.0013"]
    assert rows[0][4:7] == ["?"] * 3
    assert rows[0][7] == "≤$0.0164", "what it may cost at most"


def test_the_list_is_narrowed_by_options(desk: Rolecall) -> None:
    def found(*options: str) -> list[str]:
        done = desk("telemetry", "list", "--json", *options)
        return [call["id"] for call in json.loads(done.stdout)["calls"]]

    assert found() == ["run", "good", "fail"]
    assert found("--failed") == ["fail"]
    assert found("-e", "ollama/*", "--limit", "1") == ["run"]
    assert found("--since", "1h") == ["run"]
    assert found("--source", "probe") == []


def test_nothing_to_list_is_said_on_stderr(desk: Rolecall, tmp_path: Path) -> None:
    empty = desk("telemetry", "list", "--registry", tmp_path / "new.db")
    assert (empty.stdout, empty.stderr) == ("", "no call has been made yet\n")
    none = desk("telemetry", "list", "--source", "batch")
    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "no such call\n")
    for options, line in (((), "no call has ended yet\n"),
                          (("--by-task",), "no outcome has been recorded yet\n")):  # fmt: skip
        stats = desk("telemetry", "stats", *options, "--registry", tmp_path / "new.db")
        assert (stats.stdout, stats.stderr) == ("", line)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("list", "-e", "olama/qwen3-8b"), 'no endpoint is named "olama/qwen3-8b"'),
        (("list", "--since", "soon"), '"soon" is neither a length of time nor a date'),
        (("show", "zzz"), 'no decision or call "zzz"'),
        (("stats", "-e", "nobody"), 'no endpoint is named "nobody"'),
        (("export", "--format", "csv", "--json"), "either --format or --json"),
        (("prune",), "either --keep or --before"),
        (("prune", "--keep", "90"), '"90" is not a length of time'),
    ],
)
def test_what_is_mistyped_exits_2_with_a_hint(
    desk: Rolecall, words: tuple[str, ...], message: str
) -> None:
    done = desk("telemetry", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert "\nhint: " in done.stderr


def test_show_tells_all_that_is_known_of_a_decisions_calls(desk: Rolecall) -> None:
    done = desk("telemetry", "show", DECISION.id)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"decision {DECISION.id} · code · coder · balanced · ")
    heads = [line for line in lines if line.startswith("attempt")]
    assert heads == [
        "attempt 1 · openai/gpt-5-mini · auth",
        "attempt 2 · ollama/qwen3-8b · ok",
    ]
    assert ["input_tokens", "1234"] in [line.split() for line in lines]
    assert lines[-1] == "outcome · ollama/qwen3-8b · human · 0.9 · predicted 0.60 · 0 s ago"
    assert "\x1b" not in done.stdout


def test_show_as_json_has_the_decision_the_calls_and_the_outcomes(desk: Rolecall) -> None:
    told = json.loads(desk("telemetry", "show", "good", "--json").stdout)
    assert list(told) == ["decision", "calls", "outcomes"]
    assert told["decision"]["strategy"] == "balanced"
    assert [call["id"] for call in told["calls"]] == ["good"]
    assert told["outcomes"][0]["score"] == 0.9
    assert json.loads(desk("telemetry", "show", "run", "--json").stdout)["decision"] is None


def test_a_decision_without_calls_says_so(desk: Rolecall, tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db:
        insert_decision(db, replace(DECISION, id="0routed"))
    assert desk("telemetry", "show", "0routed").stdout.endswith("\nno call was made\n")


def test_stats_tell_speed_failures_spend_and_circuit(desk: Rolecall) -> None:
    title, row = desk("telemetry", "stats").stdout.splitlines()
    assert title.split() == [
        *("endpoint", "calls", "failed", "first", "token", "per", "token", "tokens", "spent"),
        *("sampled", "circuit", "because", "errors"),
    ]
    assert row.split() == [
        *("ollama/qwen3-8b", "8", "12.5%", "0.25/1.5", "s", "12/40", "ms", "9,000/321", "≥$0.5"),
        *("3", "h", "open", "auth", "auth", "1"),
    ]


def test_stats_as_json_have_every_figure(desk: Rolecall) -> None:
    [one] = json.loads(desk("telemetry", "stats", "--json").stdout)["endpoints"]
    assert (one["errors"], one["circuit"], one["unpriced"]) == ({"auth": 1}, "open", 1)
    assert (one["ttft_p95_s"], one["itl_long_p50_s"]) == (1.5, None)


def test_stats_by_task_tell_what_outcomes_add(desk: Rolecall) -> None:
    title, row = desk("telemetry", "stats", "--by-task").stdout.splitlines()
    assert title.split() == [
        "endpoint",
        "task",
        "outcomes",
        "mean",
        "score",
        "offset",
        "uncertainty",
    ]
    assert row.split() == ["ollama/qwen3-8b", "code", "4", "0.75", "+0.25", "0.71"]
    told = json.loads(desk("telemetry", "stats", "--by-task", "--json").stdout)
    [one] = told["tasks"]
    assert (one["task"], one["outcomes"]) == ("code", 4)
    assert one["offset"] == pytest.approx(0.25, abs=0.001)


def test_an_export_is_printed_in_the_form_asked_for(desk: Rolecall) -> None:
    lines = desk("telemetry", "export").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["fail", "good", "run"]
    rows = list(csv.DictReader(desk("telemetry", "export", "--format", "csv").stdout.splitlines()))
    assert [row["id"] for row in rows] == ["fail", "good", "run"]
    trace = json.loads(desk("telemetry", "export", "--format", "otlp-json").stdout)
    assert len(trace["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 2
    told = json.loads(desk("telemetry", "export", "--json", "--failed").stdout)
    assert [call["id"] for call in told["calls"]] == ["fail"]


def test_an_export_to_a_file_is_the_same_text(desk: Rolecall, tmp_path: Path) -> None:
    done = desk("telemetry", "export", "-o", tmp_path / "calls.jsonl")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"wrote {tmp_path}/calls.jsonl\n"
    assert (tmp_path / "calls.jsonl").read_text() == desk("telemetry", "export").stdout


def test_an_export_that_cannot_be_written_leaves_nothing(desk: Rolecall, tmp_path: Path) -> None:
    done = desk("telemetry", "export", "-o", tmp_path / "no" / "calls.csv")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: cannot write {tmp_path}/no/calls.csv: no such file or directory\n"
    )


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield "half"
        raise KeyError

    path = tmp_path / "calls.jsonl"
    path.write_text("before")
    with pytest.raises(KeyError):
        write_pieces(path, broken())
    assert path.read_text() == "before"
    assert list(tmp_path.glob(".*.partial")) == []


def test_a_reader_that_goes_away_ends_an_export_quietly(tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db, db.transaction():
        for number in range(2000):
            insert_call(db, Call(f"c{number}", ago(), "a/x"))
    program = Path(sys.executable).with_name("rolecall")
    command = f"{program} telemetry export | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_pruning_says_what_it_deleted_and_what_it_would(desk: Rolecall) -> None:
    tried = desk("telemetry", "prune", "--keep", "1h", "--dry-run")
    assert (tried.exit_code, tried.stderr) == (0, "")
    assert tried.stdout.startswith("would delete 2 calls, 1 decision and 0 turns from before 2")
    assert tried.stdout.endswith(" UTC\n")
    told = json.loads(desk("telemetry", "prune", "--before", FAR, "--json").stdout)
    assert (told["dry_run"], told["before"]) == (False, FAR)
    assert (told["calls"], told["decisions"], told["turns"]) == (3, 1, 0)
    done = desk("telemetry", "prune", "--keep", "1h")
    assert done.stdout.startswith("deleted 0 calls, 0 decisions and 0 turns ")
    assert len(json.loads(desk("telemetry", "stats", "--json").stdout)["endpoints"]) == 1


class Terminal:
    """A stdout that is a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def test_the_tables_fit_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "dumb")
    long = "anthropic/claude-sonnet-4-6"
    call = Call("06bx7m2k9q4tfw8b", ago(days=2), long, 1, None, error_type="first_token_timeout")
    print_calls([call], datetime.now(UTC))
    statistics = EndpointStatistics(long, ago(), 1234, 123, ttft_p50_s=0.25, ttft_p95_s=0.5)
    print_statistics([statistics], datetime.now(UTC))
    lines = screen.text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 4
    assert all(long in line for line in lines[1::2])


def test_a_circuit_that_no_rule_can_have_set_is_shown_as_it_counts() -> None:
    one = EndpointStatistics("p/m", ago(), 3, 3, open_until=FAR, opened_because="network")
    plain = statistics_to_plain(one, datetime.now(UTC))
    assert (plain["circuit"], plain["open_until"]) == ("closed", None)


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_an_age_is_told_in_one_unit(passed: timedelta, text: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert age((now - passed).isoformat(), now) == text
