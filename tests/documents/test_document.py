"""A registry document says exactly what is wrong with it, and where."""

from __future__ import annotations

import pytest

from rolecall.registry.core.entities import (
    DataPolicy,
    Endpoint,
    Model,
    Price,
    PriceTier,
    Profile,
    Registry,
    Role,
    Scope,
    Strategy,
)
from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.documents.document import (
    HEADER,
    checked,
    dump_registry,
    parse_document,
    parse_record,
)

EXAMPLE = """\
models:
  - id: claude-sonnet-4-6
    capabilities: [tools, json_schema, reasoning]      # free dotted names
    modalities: [text, image, pdf]
    context_tokens: 200000
    max_output_tokens: 64000
    benchmarks: {livebench_coding: 0.71}
endpoints:
  - id: anthropic/claude-sonnet-4-6
    model: claude-sonnet-4-6
    api: anthropic              # openai | anthropic | gemini | ollama
    base_url: https://api.anthropic.com
    remote_model: claude-sonnet-4-6
    key_env: ANTHROPIC_API_KEY  # null: needs none
    locality: remote            # local | remote
    region: us
    data_policy: {trains_on_data: false, retention_days: 30}
    quantization: null
    reasoning_effort: high      # none | low | medium | high | a token budget
    price: {input_usd_per_mtok: 3, output_usd_per_mtok: 15, cache_read_usd_per_mtok: 0.3,
            tiers: [{above_tokens: 200000, input_usd_per_mtok: 6, output_usd_per_mtok: 22.5}],
            source: models.dev, as_of: 2026-05-30}
    profile: {ttft_s: 0.9, ttft_p95_s: 2.1, itl_s: 0.018, failure_rate: 0.004,
              success: {code: 0.81}, samples: 214, as_of: 2026-11-20}
    status: active              # active | disabled
roles:
  - id: coder
    description: writes and changes code
    tasks: [code]
    require: [tools]
    prefer: [reasoning]
    forbid: []
    strategy: balanced
    worth: 4
    examples: ["refactor this function", "why does this test fail"]
    assignments:
      - {endpoint: anthropic/claude-sonnet-4-6, status: active}
tasks:
  - {id: code.edit, description: changes existing code, require: [code.edit], roles: [coder]}
strategies:
  - {id: balanced, quality_usd: 0.05, min_success: null, local_only: false, prefer_locality: null}
scopes:
  - {app: helpdesk, strategy: private, budget: {usd: 20, per: day, mode: hard}}
"""


def refusal(text: str) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as refused:
        parse_document(text, "f.yaml")
    return refused.value


def test_the_documented_example_is_read() -> None:
    document = parse_document(EXAMPLE, "f.yaml")
    model, endpoint, role, task, strategy, scope = (entry.record for entry in document.entries)
    assert model == Model(
        "claude-sonnet-4-6",
        capabilities=("tools", "json_schema", "reasoning"),
        modalities=("text", "image", "pdf"),
        context_tokens=200000,
        max_output_tokens=64000,
        benchmarks=(("livebench_coding", 0.71),),
    )
    assert isinstance(endpoint, Endpoint)
    assert endpoint.reasoning_effort == "high"
    assert endpoint.price == Price(
        *(3.0, 15.0, 0.3),
        tiers=(PriceTier(200_000, 6.0, 22.5),),
        source="models.dev",
        as_of="2026-05-30",
    )
    assert endpoint.profile == Profile(0.9, 2.1, 0.018, 0.004, (("code", 0.81),), 214, "2026-11-20")
    assert endpoint.data_policy == DataPolicy(False, 30)
    assert isinstance(role, Role)
    assert role.assignments[0].endpoint == "anthropic/claude-sonnet-4-6"
    assert strategy == Strategy("balanced")
    assert isinstance(scope, Scope)
    assert (scope.id, task.id, document.is_whole) == ("app:helpdesk", "code.edit", True)


M = "models:\n  - id: m\n"
E = "endpoints:\n  - id: e\n    model: m\n"
R = "roles:\n  - id: r\n"
S = "strategies:\n  - id: s\n"
EFFORT = "endpoints[0].reasoning_effort"
EFFORTS = "one of none, low, medium, high, a number of tokens, or null"
AS_FRACTION = "write a percentage as a fraction, such as 0.71"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("rolls: []", "f.yaml:1: rolls: unknown section", "did you mean roles?"),
        ("- a", "f.yaml:1: expected keys and values, found a list", None),
        ("just text", "f.yaml:1: expected keys and values, found text", None),
        ("# only a comment\n", "f.yaml: holds no records", "sections: models"),
        ("models:\n  m: {}", "f.yaml:2: models: expected a list, found keys and", "[one, two]"),
        ("models:\n  - m", "f.yaml:2: models[0]: expected keys and values, found text", None),
        (f"{E}    prize: 1", "f.yaml:4: endpoints[0].prize: unknown key", "did you mean price"),
        (f"{E}    zzz: 1", "f.yaml:4: endpoints[0].zzz: unknown key", "one of id, model, api"),
        (f"{E}    model: x", "f.yaml:4: endpoints[0].model: this key is given twice", None),
        ("endpoints:\n  - id: x", "f.yaml:2: endpoints[0]: model is missing", None),
        ("judged_rows: [{prompt: p}]", "f.yaml:1: judged_rows[0]: answers is missing", None),
        ("scopes: [{app: a, budget: {}}]", "f.yaml:1: scopes[0].budget: usd is missing", None),
        ("scopes:\n  - strategy: s", "f.yaml:2: scopes[0]: a scope names either an app or", None),
        ("scopes:\n  - {app: a, user: u}", "f.yaml:2: scopes[0]: a scope names either", None),
        (f"{M}  - id: n\n  - id: m", '4: models[2]: "m" is described twice, first at line 2', None),
        ("models: [{id: ''}]", "models[0].id: a name may not be empty", None),
        ("models: [{id: a b}]", "models[0].id: a name may not contain spaces", None),
        ("models: [{id: 4.1}]", "models[0].id: expected text, found a number", 'quotes: "4.1"'),
        ("models: [{id: null}]", "models[0].id: expected text, found null", None),
        (f"{E}    region: no", "region: expected text, found true or false", 'quotes: "no"'),
        (f"{R}    tasks: code", "f.yaml:3: roles[0].tasks: expected a list, found", "[one, two]"),
        (
            f"{R}    tasks:\n      - a\n      - 3",
            "f.yaml:5: roles[0].tasks[1]: expected text",
            None,
        ),
        (f"{R}    tasks: [a, b, a]", 'f.yaml:3: roles[0].tasks[2]: "a" is listed twice', None),
        (
            f"{R}    assignments:\n    - endpoint: e\n    - endpoint: e\n",
            'f.yaml:5: roles[0].assignments[1].endpoint: "e" is listed twice',
            None,
        ),
        (f"{R}    assignments: [{{}}]", "roles[0].assignments[0]: endpoint is missing", None),
        (
            f"{E}    api: openia",
            '4: endpoints[0].api: unknown value "openia"',
            "one of openai, anth",
        ),
        (
            f"{E}    price:\n      input_usd_per_mtok: -1",
            "f.yaml:5: endpoints[0].price.input_usd_per_mtok: -1 is out of range: at least 0, and",
            None,
        ),
        (f"{S}    quality_usd: .nan", "strategies[0].quality_usd: .nan is out of range", None),
        (f"{S}    quality_usd: .inf", "strategies[0].quality_usd: .inf is out of range", None),
        (f"{S}    quality_usd: 1e999", "strategies[0].quality_usd: 1e999 is out of range", None),
        (f"{S}    quality_usd: '3'", "quality_usd: expected a number, found text", None),
        (f"{S}    quality_usd: '3e-4'", "quality_usd: expected a number, found text", None),
        (f"{S}    quality_usd: null", "quality_usd: expected a number, found null", None),
        (f"{S}    min_success: 65", "3: strategies[0].min_success: 65 is out of", AS_FRACTION),
        (f"{S}    local_only: 1", "local_only: expected true or false, found a number", None),
        (f"{S}    local_only: !!bool maybe", 'expected true or false, found "maybe"', None),
        (f"{S}    quality_usd: !!float ''", "quality_usd: expected a number, found", None),
        (f"{E}    context_tokens: !!int ''", "context_tokens: expected a whole number", None),
        (f"{E}    price: {{as_of: now}}", '"now" is not a date: write YYYY-MM-DD or YYYY-MM', None),
        (f"{E}    price: {{as_of: 20260530}}", "as_of: expected text, found a number", "quotes"),
        (f"{E}    profile: {{samples: 1.5}}", "expected a whole number, found a fraction", None),
        (f"{E}    context_tokens: 0", "context_tokens: 0 is out of range: at least 1, and", None),
        (f"{E}    context_tokens: {'9' * 20}", f"{'9' * 20} is out of range: at least 1", None),
        (f"{E}    context_tokens: {'9' * 5000}", f"{'9' * 40}… is out of range: at least 1", None),
        (f"{E}    base_url: a.b", "expected a URL that starts with http:// or https://", None),
        (
            f"{E}    base_url: 'http://['",
            "4: endpoints[0].base_url: expected a URL that names a",
            None,
        ),
        (f"{R}    worth: 0", "f.yaml:3: roles[0].worth: 0 is out of range: above 0, and", None),
        (f"{E}    reasoning_effort: hgih", f'4: {EFFORT}: unknown value "hgih"', EFFORTS),
        (f"{E}    reasoning_effort: off", f'4: {EFFORT}: unknown value "off"', EFFORTS),
        (f"{E}    reasoning_effort: [low]", f"4: {EFFORT}: unknown value a list", EFFORTS),
        (f"{E}    reasoning_effort: 0", f"4: {EFFORT}: 0 is out of range: at least 1", None),
        (f"{E}    reasoning_effort: 0.5", f"4: {EFFORT}: expected a whole number, found a", None),
        (
            f"{M}    benchmarks:\n      swe: 0.5\n      aime: 71",
            "f.yaml:5: models[0].benchmarks.aime: 71 is out of range: 0 to 1",
            AS_FRACTION,
        ),
        (f"{M}    benchmarks: {{a b: 0.5}}", "benchmarks.a b: a name may not contain spaces", None),
        (f"{M}    benchmarks: {{a: 0.5, a: 1}}", "benchmarks.a: this key is given twice", None),
        (f"{M}    benchmarks: [0.5]", "benchmarks: expected keys and values, found a list", None),
        ("models: [", "f.yaml:1: not valid YAML: ", "close what was opened"),
        ("models:\n\t- id: m", "f.yaml:2: not valid YAML: ", "indent with spaces, not tabs"),
        ("models: *nowhere", "f.yaml:1: not valid YAML: ", None),
        ("models: []\n---\nroles: []", "f.yaml:2: not valid YAML: ", None),
        ("models:\n  - \x00\x01", "f.yaml:2: not a text file", None),
        ("? [a]\n: 1", "f.yaml:1: a key must be one word", None),
        ("models:\n  - &m {id: m, <<: *m}", "may not merge others in turn", None),
    ],
)
def test_each_mistake_is_named_with_its_line_and_path(
    text: str, message: str, hint: str | None
) -> None:
    error = refusal(text)
    assert message in error.message
    assert "\n" not in error.message
    if hint is not None:
        assert hint in (error.hint or "")


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
def test_a_text_nested_too_deeply_is_refused(opening: str) -> None:
    assert refusal("models: \n  " + opening * 100_000).message == (
        "f.yaml:2: nested more than 50 levels deep"
    )


def test_of_several_mistakes_the_first_in_the_file_is_named() -> None:
    text = "roles:\n  - id: r\n    tasks: 1\n    nonsense: 2\nmodels:\n  - {}\n"
    assert refusal(text).message.startswith("f.yaml:3: roles[0].tasks: ")


def test_a_key_pasted_in_place_of_its_variable_is_not_repeated() -> None:
    error = refusal(f"{E}    key_env: sk-ant-SECRET1234")
    assert error.message.startswith("f.yaml:4: endpoints[0].key_env: expected the name of an env")
    assert "SECRET" not in error.message + (error.hint or "")


@pytest.mark.parametrize("key", ["AIzaSyD4SECRET", "sk_live_secret", "$OPENAI_API_KEY"])
def test_only_the_name_of_a_variable_is_taken_for_one(key: str) -> None:
    assert "never a key" in refusal(f"{E}    key_env: {key}").message


def test_dates_may_stand_without_quotes_and_numbers_in_any_yaml_form() -> None:
    text = (
        "models:\n  - {id: m, release_date: 2026-05-30, as_of: 2026-05, context_tokens: 1_000_000}"
        "\nstrategies:\n"
        "  - {id: s, quality_usd: 5e-4, ttft_usd_per_s: 1.5e-3, description: 2026-05-30}"
    )
    model, strategy = (entry.record for entry in parse_document(text, "f.yaml").entries)
    assert model == Model("m", release_date="2026-05-30", as_of="2026-05", context_tokens=1_000_000)
    assert strategy == Strategy(
        "s", quality_usd=0.0005, ttft_usd_per_s=0.0015, description="2026-05-30"
    )


def test_anchors_aliases_and_merged_keys_are_read() -> None:
    text = (
        "models: [{id: m}]\nendpoints:\n"
        "  - &base {id: a, model: m, region: us, price: &p {input_usd_per_mtok: 1}}\n"
        "  - {<<: *base, id: b, region: eu}\n  - {id: c, model: m, price: *p}\n"
    )
    _, a, b, c = (entry.record for entry in parse_document(text, "f.yaml").entries)
    assert isinstance(a, Endpoint)
    assert isinstance(b, Endpoint)
    assert isinstance(c, Endpoint)
    assert (b.id, b.region, b.price, c.price) == ("b", "eu", a.price, a.price)


@pytest.mark.parametrize(
    ("api", "base_url", "locality"),
    [
        ("openai", "https://api.openai.com/v1", "remote"),
        ("anthropic", "https://api.anthropic.com", "remote"),
        ("gemini", "https://generativelanguage.googleapis.com", "remote"),
        ("ollama", "http://localhost:11434", "local"),
    ],
)
def test_an_endpoint_takes_from_its_api_what_is_not_said(
    api: str, base_url: str, locality: str
) -> None:
    document = parse_document(f"{E}    api: {api}", "f.yaml")
    endpoint = document.entries[0].record
    assert isinstance(endpoint, Endpoint)
    assert (endpoint.base_url, endpoint.locality) == (base_url, locality)
    assert (endpoint.remote_model, endpoint.key_env) == ("m", None)


@pytest.mark.parametrize(
    "place",
    [
        "base_url: https://llm.example.com/v1",
        "base_url: http://127.0.0.1.evil.example",
        "base_url: http://8.8.8.8:8000",
        "api: openai",
        "api: gemini",
    ],
)
def test_an_endpoint_that_is_stated_local_at_another_address_is_refused(place: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_document(f"{E}    {place}\n    locality: local\n", "f.yaml")
    assert caught.value.message.startswith("f.yaml:5: endpoints[0].locality: local, but http")
    assert caught.value.hint is not None
    assert "locality: remote" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["http://gpu-box:8000", "http://10.1.2.3", "https://gpu.local", "http://localhost:1"]
)
def test_a_private_address_and_a_name_of_one_label_may_be_stated_local(url: str) -> None:
    text = f"{E}    base_url: {url}\n    locality: local\n"
    endpoint = parse_document(text, "f.yaml").entries[0].record
    assert isinstance(endpoint, Endpoint)
    assert endpoint.is_local


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("locality", "remote"),
        ("reasoning_effort", "none"),
        ("reasoning_effort", "low"),
        ("reasoning_effort", 8192),
        ("reasoning_effort", None),
    ],
)
def test_what_is_said_of_an_endpoint_is_what_it_has(key: str, value: str | int | None) -> None:
    text = f"{E}    api: ollama\n    {key}: {'null' if value is None else value}\n"
    assert getattr(parse_document(text, "f.yaml").entries[0].record, key) == value


def test_what_says_nothing_is_unknown() -> None:
    text = f"{E}    price: {{}}\n    profile: null\n    data_policy: null\n"
    endpoint = parse_document(text, "f.yaml").entries[0].record
    assert isinstance(endpoint, Endpoint)
    assert (endpoint.price, endpoint.profile) == (None, None)
    assert endpoint.data_policy == DataPolicy()


def test_a_section_may_be_empty() -> None:
    document = parse_document("models:\nroles: []\n", "f.yaml")
    assert (document.entries, document.sections) == ((), frozenset({"models", "roles"}))


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert len(parse_document("\ufeffmodels: [{id: m}]", "f.yaml").entries) == 1


def test_an_empty_registry_is_written_with_every_section() -> None:
    assert dump_registry(Registry(3)) == (
        HEADER + "models: []\nendpoints: []\nroles: []\ntasks: []\nstrategies: []\nscopes: []\n"
    )


def test_records_are_written_by_id_whatever_their_order() -> None:
    one, two = Model("a"), Model("b")
    assert dump_registry(Registry(1, (one, two))) == dump_registry(Registry(2, (two, one)))


def test_a_record_is_written_for_reading() -> None:
    endpoint = Endpoint(
        "a/m", "m", base_url="https://a.test", price=Price(3.0, 15.0, as_of="2026-05-30")
    )
    role = Role("r", description="say: yes", examples=("one", "no", "it's 5 #1"))
    text = dump_registry(Registry(1, endpoints=(endpoint,), roles=(role,)))
    assert "  - id: a/m\n    model: m\n    api: openai\n    base_url: https://a.test\n" in text
    assert "    data_policy: {trains_on_data: null, retention_days: null}\n" in text
    assert "      input_usd_per_mtok: 3\n" in text
    assert "      as_of: 2026-05-30\n" in text
    assert '    description: "say: yes"\n' in text
    assert '    examples: [one, "no", "it\'s 5 #1"]\n' in text


def test_a_list_too_long_for_a_line_takes_a_line_for_each_item() -> None:
    role = Role("r", examples=("first " * 12, "second " * 12))
    text = dump_registry(Registry(1, roles=(role,)))
    assert f'    examples:\n      - "{"first " * 12}"\n      - "{"second " * 12}"\n' in text


def test_a_record_made_elsewhere_is_held_to_the_same_rules() -> None:
    with pytest.raises(InvalidDocument, match=r"^price\.input_usd_per_mtok: -3 is out of range"):
        checked(Endpoint("e", "m", price=Price(-3.0)))
    assert checked(Endpoint("e", "m")) == Endpoint(
        "e", "m", base_url="https://api.openai.com/v1", remote_model="m"
    )


@pytest.mark.parametrize("text", ["", "null", "- a", "id", "[id: m]"])
def test_a_single_record_must_be_keys_and_values(text: str) -> None:
    with pytest.raises(InvalidDocument, match=r"m\.yaml"):
        parse_record("models", text, "m.yaml")
