"""`rolecall route` and `rolecall explain` as typed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.scorer.model import Reading, Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Golden, Rolecall

KEYS = {f"{name}_API_KEY": "secret-x" for name in ("ANTHROPIC", "OPENAI", "GEMINI", "GROQ")}
POOL = """
models:
  - {id: small, context_tokens: 8000}
  - {id: large, context_tokens: 8000, capabilities: [tools], modalities: [text, image]}
endpoints:
  - {id: here/small, model: small, base_url: "http://localhost:1", locality: local, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0},
     profile: {ttft_s: 0.3, itl_s: 0.02, failure_rate: 0, success: {general: 0.41, math: 0.3}}}
  - {id: there/large, model: large, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 5},
     profile: {ttft_s: 0.9, itl_s: 0.01, failure_rate: 0.01, success: {general: 0.8, math: 0.9}, samples: 214}}
  - {id: there/keyed, model: large, key_env: NOBODY_API_KEY}
roles:
  - {id: desk, assignments: [{endpoint: here/small}, {endpoint: there/large}, {endpoint: there/keyed}]}
strategies:
  - {id: balanced}
"""  # noqa: E501
REQUIRED = {
    "decision_id", "task", "role", "strategy", "app", "user", "chosen", "runner_up", "margin_usd",
    "reasons", "candidates", "excluded", "fallbacks", "flips", "registry_revision",
    "scorer_version", "elapsed_ms",
}  # fmt: skip
CANDIDATE = {
    "endpoint", "model", "rank", "value_usd", "success", "success_std", "cost_usd",
    "input_tokens", "output_tokens", "ttft_s", "itl_s", "failure_rate", "sources",
}  # fmt: skip


@pytest.fixture
def desk(rolecall: Rolecall, tmp_path: Path) -> Rolecall:
    """Return `rolecall` on a registry whose role `desk` has figures of its own."""
    (tmp_path / "pool.yaml").write_text(POOL)
    assert rolecall("registry", "apply", tmp_path / "pool.yaml").exit_code == 0
    return rolecall


def ask(desk: Rolecall, *args: str) -> Any:
    done = desk("route", "-r", "desk", "--task", "general", "--json", *args)
    return json.loads(done.stdout)


def test_the_endpoint_alone_is_printed(desk: Rolecall) -> None:
    done = desk("route", "hello", "-r", "desk", "--task", "general")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "there/large\n", "")


def test_json_has_every_documented_key(desk: Rolecall) -> None:
    decision = ask(desk, "hello")
    assert set(decision) >= REQUIRED
    assert set(decision["task"]) >= {"kind", "needs", "input_tokens", "difficulty", "source"}
    assert set(decision["candidates"][0]) >= CANDIDATE
    assert decision["chosen"] == decision["candidates"][0]["endpoint"] == "there/large"
    assert decision["runner_up"] == decision["fallbacks"][0] == "here/small"
    why_not = {(one["endpoint"], one["code"]) for one in decision["excluded"]}
    assert ("there/keyed", "AUTH_UNAVAILABLE") in why_not
    assert ("ollama/qwen3-8b", "ROLE_NOT_ALLOWED") in why_not
    assert set(decision["flips"][0]) >= {"change", "chosen"}
    assert decision["task"]["source"] == "declared"


def test_what_is_attached_decides_who_can_serve(desk: Rolecall, tmp_path: Path) -> None:
    chat = {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            }
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
    }
    (tmp_path / "chat.json").write_text(json.dumps(chat))
    decision = ask(desk, "--messages", str(tmp_path / "chat.json"))
    assert decision["task"]["needs"] == ["vision", "tools"]
    codes = {one["code"] for one in decision["excluded"] if one["endpoint"] == "here/small"}
    assert codes == {"CAPABILITY_MISSING", "MODALITY_UNSUPPORTED", "TOOLS_UNSUPPORTED"}


@pytest.mark.parametrize("command", ["route", "explain"])
def test_what_is_asked_of_the_answer_decides_who_can_serve(
    command: str, desk: Rolecall, tmp_path: Path
) -> None:
    texts = {"tools": [{"name": "look_up", "input_schema": {}}], "schema": {"type": "object"}}
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(text))
    prompt = ["hello"] if command == "route" else ["--prompt", "hello"]
    asked = ("--tools", tmp_path / "tools.json", "--schema", tmp_path / "schema.json")
    done = desk(
        command, *prompt, "-r", "desk", "--json", *asked, "-o", "top-p", "0.5", "-o", "seed", "1"
    )
    task = json.loads(done.stdout)["task"]
    assert (task["needs"], task["parameters"]) == (["tools", "json_schema"], ["seed", "top_p"])


def test_options_win_over_those_of_every_row(desk: Rolecall) -> None:
    rows = '{"prompt": "hi", "temperature": 1}\n{"prompt": "hi", "seed": 1}\n'
    done = desk("route", "--jsonl", "-r", "desk", "-o", "temperature", "null", input=rows)
    tasks = [json.loads(line)["task"] for line in done.stdout.splitlines()]
    assert [task["parameters"] for task in tasks] == [[], ["seed"]]


def test_a_mistyped_option_exits_2(desk: Rolecall) -> None:
    done = desk("route", "hello", "-o", "temp", "1")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == 'error: no option is named "temp"\nhint: did you mean temperature?\n'


def test_what_the_caller_knows_is_not_estimated(desk: Rolecall) -> None:
    decision = ask(desk, "hello", "--input-tokens", "7000", "--max-tokens", "900")
    assert decision["task"]["input_tokens"] == 7000
    assert decision["candidates"][0]["output_tokens"] <= 900
    too_much = ask(desk, "hello", "--input-tokens", "7000", "--max-tokens", "1001")
    assert {one["code"] for one in too_much["excluded"]} >= {"CONTEXT_TOO_SMALL"}


def test_nothing_eligible_exits_3_with_the_reasons_and_a_hint(desk: Rolecall) -> None:
    done = desk("route", "hello", "-r", "desk", "-e", "there/keyed")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("error: no endpoint is eligible: ")
    assert "1 AUTH_UNAVAILABLE" in done.stderr
    assert done.stderr.endswith("hint: export NOBODY_API_KEY=...\n")


def test_nothing_eligible_as_json_says_chosen_null_and_still_exits_3(desk: Rolecall) -> None:
    done = desk("route", "hello", "-r", "desk", "--need", "flying", "--json")
    assert (done.exit_code, json.loads(done.stdout)["chosen"]) == (3, None)


def test_a_spending_limit_alone_in_the_way_exits_6(desk: Rolecall) -> None:
    done = desk("route", "hello", "-r", "desk", "-e", "there/large", "--max-cost", "0.0000001")
    assert (done.exit_code, done.stdout) == (6, "")
    assert "BUDGET_EXCEEDED" in done.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("-r", "dsk"), 'error: no role is named "dsk"\nhint: did you mean desk?\n'),
        (("-e", "here/smal"), 'error: no endpoint is named "here/smal"\n'),
        (
            ("--strategy", "zzz"),
            'error: no strategy is named "zzz"\nhint: one of balanced',
        ),
    ],
)
def test_a_mistyped_name_exits_2(desk: Rolecall, args: tuple[str, ...], line: str) -> None:
    done = desk("route", "hello", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(line)


def test_jsonl_prints_a_decision_a_line_in_order(desk: Rolecall) -> None:
    rows = [json.dumps({"custom_id": f"n{i}", "prompt": f"question {i}"}) for i in range(5)]
    done = desk("route", "--jsonl", "-r", "desk", input="\n".join(rows))
    decisions = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [one["custom_id"] for one in decisions] == ["n0", "n1", "n2", "n3", "n4"]
    assert all(set(one) >= REQUIRED for one in decisions)


def test_jsonl_goes_on_past_a_row_nobody_may_serve(desk: Rolecall) -> None:
    long = json.dumps({"prompt": "x" * 40_000})
    done = desk("route", "--jsonl", "-r", "desk", input=f'"hi"\n{long}\n"bye"\n')
    assert done.exit_code == 5
    assert [json.loads(one)["chosen"] for one in done.stdout.splitlines()][1] is None
    assert done.stderr.startswith("line 2: no endpoint is eligible")
    assert desk("route", "--jsonl", "-r", "desk", input=long).exit_code == 3


def test_a_broken_row_stops_with_its_line_and_keeps_what_was_decided(desk: Rolecall) -> None:
    done = desk("route", "--jsonl", "-r", "desk", input='"hi"\n{"prompt": \n"bye"\n')
    assert done.exit_code == 2
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.startswith("error: stdin:2:")


def test_a_megabyte_prompt_is_told_apart_from_an_impossible_one(desk: Rolecall) -> None:
    done = desk("route", "summarise", "-r", "desk", input="a line of text\n" * 350_000)
    assert done.exit_code == 3
    assert "CONTEXT_TOO_SMALL" in done.stderr


def test_keys_are_never_printed_or_stored(desk: Rolecall, tmp_path: Path) -> None:
    done = desk("route", "hello", "--json", env=KEYS)
    explained = desk("explain", env=KEYS)
    assert "secret-x" not in done.stdout + done.stderr + explained.stdout
    for path in tmp_path.glob("registry.db*"):
        assert b"secret-x" not in path.read_bytes()


def test_explain_shows_the_last_decision(desk: Rolecall, golden: Golden) -> None:
    desk("route", "hello", "-r", "desk", "--task", "general")
    done = desk("explain")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("desk · balanced · decided in ")
    # Figures, and so widths, differ by scorer and processor.
    shape = re.sub(r"\.?\d[\d.,]*", "0", "\n".join(lines[1:]))
    shape = re.sub(r"(?<=\S) +", " ", shape)
    golden("explain.txt", shape + "\n")


def test_what_is_at_stake_is_told_and_turns_the_choice(desk: Rolecall) -> None:
    usual = ask(desk, "hello")
    assert usual["worth"] == {"factor": 1.0, "source": "default", "usd": 0.05}
    little = ask(desk, "hello", "--worth", "0.001")
    assert little["worth"] == {
        "factor": 0.001,
        "source": "asked for",
        "usd": pytest.approx(0.00005),
    }
    assert (usual["chosen"], little["chosen"]) == ("there/large", "here/small")
    [flip] = [one for one in little["flips"] if one["parameter"] == "quality_usd"]
    assert flip["was"] == 0.05
    assert flip["change"].endswith("(now $0.00005 = 0.001 × $0.05)")
    shown = " ".join(desk("explain").stdout.split())
    assert "worth $0.00005 a correct answer: 0.001 (asked for) × $0.05 (balanced)" in shown


def test_what_a_role_or_a_task_says_is_at_stake_is_stored_with_the_decision(desk: Rolecall) -> None:
    desk("roles", "add", "clinic", "--task", "care", "--worth", "16")
    added = ask(desk, "hello", "-r", "clinic", "--task", "care")
    assert added["worth"] == {"factor": 16.0, "source": "role clinic", "usd": 0.8}
    desk("registry", "apply", "-", input="tasks: [{id: care, worth: 0.5}]")
    assert ask(desk, "hi", "-r", "clinic", "--task", "care.small")["worth"]["source"] == "task care"
    again = json.loads(desk("explain", added["decision_id"], "--json").stdout)
    assert again["worth"] == added["worth"]
    assert desk("registry", "export").stdout.count("worth: 16") == 1


@pytest.mark.parametrize("command", ["route", "explain", "ask"])
@pytest.mark.parametrize("worth", ["0", "-1"])
def test_a_worth_that_is_no_factor_exits_2(command: str, worth: str, desk: Rolecall) -> None:
    prompt = ["--prompt", "hi"] if command == "explain" else ["hi"]
    done = desk(command, *prompt, f"--worth={worth}")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: a worth is a finite number above 0, not {worth}\n"
        "hint: a factor on the value of a correct answer: --worth 4\n"
    )
    for never in ("nan", "inf"):
        assert desk(command, *prompt, "--worth", never).exit_code == 2


def test_the_price_of_long_input_is_marked_and_explained(desk: Rolecall) -> None:
    price = "{input_usd_per_mtok: 1, output_usd_per_mtok: 2, tiers: [{above_tokens: 500,"
    price += " input_usd_per_mtok: 30}, {above_tokens: 900, input_usd_per_mtok: 40}]}"
    document = f"endpoints: [{{id: new/large, model: large, price: {price}}}]"
    desk("registry", "apply", "-", input=document)
    words = ("explain", "--prompt", "hello", "-e", "new/large", "--input-tokens")
    shown = " ".join(desk(*words, "600").stdout.split())
    assert "↑ the price of long input, in tokens: new/large above 500" in shown
    assert "↑" not in desk(*words, "500").stdout
    [candidate] = json.loads(desk(*words, "901", "--json").stdout)["candidates"]
    assert candidate["price_above_tokens"] == 900
    assert candidate["cost_usd"] > 901 * 40 / 1e6
    [candidate] = json.loads(desk(*words, "500", "--json").stdout)["candidates"]
    assert candidate["price_above_tokens"] is None


def test_hidden_reasoning_that_is_not_waited_for_is_marked(
    desk: Rolecall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thinking(scorer: Scorer, reading: Reading, facts: Sequence[ModelFacts]) -> Any:
        del scorer, reading
        return tuple(
            Prediction(one.model, 0.5, 0.1, 3000, "facts", hidden_tokens=2900) for one in facts
        )

    monkeypatch.setattr(Scorer, "predict", thinking)
    desk("registry", "apply", "-", input="endpoints: [{id: new/large, model: large}]")
    done = desk("explain", "--prompt", "hello", "-e", "new/large")
    # 3 s and 100 visible tokens at 0.03 s, both the strategy's defaults.
    assert "3 s def. 6 s+" in " ".join(done.stdout.split())
    assert "+        hidden reasoning may take longer: speed and tokens" in done.stdout
    assert "s+" not in desk("explain", "--prompt", "hello", "-e", "there/large").stdout


def test_explain_brings_back_an_older_decision_by_the_start_of_its_id(desk: Rolecall) -> None:
    first = ask(desk, "hello")
    ask(desk, "goodbye")
    done = desk("explain", first["decision_id"], "--json")
    assert json.loads(done.stdout)["decision_id"] == first["decision_id"]
    done = desk("explain", "zzzz")
    assert (done.exit_code, done.stdout) == (2, "")


def test_explain_is_the_same_object_that_route_printed_and_who_was_asked(desk: Rolecall) -> None:
    routed = ask(desk, "hello")
    told = json.loads(desk("explain", "--json").stdout)
    assert told == {**routed, "answered_by": None, "calls": []}


def test_explain_prompt_decides_without_recording(desk: Rolecall) -> None:
    done = desk("explain", "--prompt", "hello", "-r", "desk")
    assert done.exit_code == 0
    assert "there/large" in done.stdout
    done = desk("explain")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no decision has been recorded yet\nhint: ")


def test_who_was_left_out_is_counted_by_why_whatever_else_speaks_against_them(
    desk: Rolecall,
) -> None:
    desk("route", "hello", "-r", "desk", "--need", "tools", "-e", "there/*")
    shown = desk("explain").stdout
    assert "  18 more not named by --endpoint\n" in shown
    assert "more lacks" not in shown


def test_explain_decides_a_whole_request_without_recording(desk: Rolecall, tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('[{"role": "user", "content": "hello"}]')
    done = desk("explain", "--messages", tmp_path / "chat.json", "--need", "tools", "--json")
    assert (done.exit_code, json.loads(done.stdout)["task"]["needs"]) == (0, ["tools"])
    assert desk("explain").exit_code == 2
    done = desk("explain", "0123", "--prompt", "hello")
    assert (done.exit_code, done.stdout) == (2, "")


def test_a_name_cannot_steer_the_terminal(desk: Rolecall, tmp_path: Path) -> None:
    odd = 'tasks: [{id: odd, examples: ["red \\e[31m herring"]}]'
    (tmp_path / "odd.yaml").write_text(odd)
    assert desk("registry", "apply", tmp_path / "odd.yaml").exit_code == 0
    done = desk("explain", "--prompt", "a red herring")
    assert "herring" in done.stdout
    assert "\x1b" not in done.stdout


def test_explain_says_when_nothing_was_eligible(desk: Rolecall) -> None:
    desk("route", "hello", "-r", "desk", "--need", "flying")
    done = desk("explain")
    assert done.exit_code == 0
    assert "nothing is eligible" in done.stdout
    assert "CAPABILITY_MISSING" in done.stdout


def test_choices_do_not_go_with_a_stored_decision(desk: Rolecall) -> None:
    done = desk("explain", "--strategy", "quality")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--prompt" in done.stderr
