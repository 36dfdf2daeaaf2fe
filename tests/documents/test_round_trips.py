"""Any registry survives being stored, written as YAML and read again."""

from __future__ import annotations

import string
from dataclasses import fields
from typing import Any, get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.registry.core import entities as records
from rolecall.registry.core.effort import LEVELS
from rolecall.registry.core.entities import (
    Assignment,
    Budget,
    DataPolicy,
    Endpoint,
    Model,
    Price,
    Profile,
    Registry,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.documents.document import (
    COLLECTIONS,
    dump_record,
    dump_registry,
    parse_document,
    parse_record,
)
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.editing.diff import changes_between
from rolecall.registry.editing.edit import write_changes
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import read_registry

NAMES = st.text(string.ascii_letters + string.digits + "._-/:@+#&*!é", min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
WORDS = st.lists(NAMES, max_size=4, unique=True).map(tuple)
EXAMPLES = st.lists(TEXTS, max_size=4).map(tuple)
MONEY = st.floats(0, 1e6)
WORTHS = st.floats(0, 1e6, exclude_min=True)
CHANCES = st.floats(0, 1)
PAIRS = st.dictionaries(NAMES, CHANCES, max_size=3).map(lambda pairs: tuple(pairs.items()))
TOKENS = st.integers(1, 10**7)
DATES = st.dates().map(str) | st.dates().map(lambda day: str(day)[:7])
VARIABLES = st.text(string.ascii_uppercase + string.digits + "_", min_size=1, max_size=20)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def says_something(value: Any) -> bool:
    return value is None or value != type(value)()


POLICIES = st.builds(DataPolicy, maybe(st.booleans()), maybe(st.integers(0, 4000)))
PRICES = st.builds(
    Price, maybe(MONEY), maybe(MONEY), maybe(MONEY), maybe(MONEY), maybe(TEXTS), maybe(DATES)
).filter(says_something)
PROFILES = st.builds(
    Profile,
    ttft_s=maybe(MONEY),
    ttft_p95_s=maybe(MONEY),
    itl_s=maybe(MONEY),
    failure_rate=maybe(CHANCES),
    success=PAIRS,
    samples=maybe(st.integers(0, 10**6)),
    as_of=maybe(DATES),
).filter(says_something)


def models(name: str) -> st.SearchStrategy[Model]:
    return st.builds(
        Model,
        id=st.just(name),
        family=maybe(TEXTS),
        capabilities=WORDS,
        modalities=WORDS,
        context_tokens=maybe(TOKENS),
        max_output_tokens=maybe(TOKENS),
        benchmarks=PAIRS,
        parameters_b=maybe(MONEY),
        open_weights=maybe(st.booleans()),
        release_date=maybe(DATES),
        source=maybe(TEXTS),
        as_of=maybe(DATES),
    )


def endpoints(name: str, model_names: list[str]) -> st.SearchStrategy[Endpoint]:
    return st.builds(
        Endpoint,
        id=st.just(name),
        model=st.sampled_from(model_names),
        api=st.sampled_from(get_args(records.Api)),
        base_url=NAMES.map(lambda path: f"https://example.test/{path}"),
        remote_model=TEXTS.filter(bool),
        key_env=maybe(VARIABLES),
        key_command=maybe(TEXTS),
        locality=st.sampled_from(get_args(records.Locality)),
        region=maybe(NAMES),
        data_policy=POLICIES,
        quantization=maybe(TEXTS),
        reasoning_effort=maybe(st.sampled_from(LEVELS) | TOKENS),
        context_tokens=maybe(TOKENS),
        max_output_tokens=maybe(TOKENS),
        unsupported_parameters=WORDS,
        price=maybe(PRICES),
        profile=maybe(PROFILES),
        status=st.sampled_from(get_args(records.EndpointStatus)),
    )


def strategies(name: str) -> st.SearchStrategy[Strategy]:
    return st.builds(
        Strategy,
        id=st.just(name),
        description=TEXTS,
        prefer_locality=maybe(st.sampled_from(get_args(records.Locality))),
        local_only=st.booleans(),
        log_prompts=st.booleans(),
        regions=WORDS,
        allow=WORDS,
        deny=WORDS,
        budget_mode=st.sampled_from(get_args(records.BudgetMode)),
        data_policy=maybe(POLICIES.filter(says_something)),
        min_success=maybe(CHANCES),
        default_failure_rate=CHANCES,
        **{
            field.name: MONEY if field.default is not None else maybe(MONEY)
            for field in fields(Strategy)
            if field.name.endswith(("usd", "_s", "mtok"))
        },
    )


def roles(
    name: str, strategy_names: list[str], endpoint_names: list[str]
) -> st.SearchStrategy[Role]:
    assigned = st.lists(st.sampled_from(endpoint_names), unique=True, max_size=3)
    assignments = assigned.flatmap(
        lambda chosen: st.tuples(
            *(
                st.builds(
                    Assignment,
                    st.just(endpoint),
                    st.sampled_from(get_args(records.AssignmentStatus)),
                    WORDS,
                    WORDS,
                )
                for endpoint in chosen
            )
        )
    )
    return st.builds(
        Role,
        id=st.just(name),
        description=TEXTS,
        tasks=WORDS,
        require=WORDS,
        prefer=WORDS,
        forbid=WORDS,
        strategy=maybe(st.sampled_from(strategy_names)),
        worth=maybe(WORTHS),
        examples=EXAMPLES,
        assignments=assignments,
    )


def tasks(name: str, role_names: list[str]) -> st.SearchStrategy[TaskKind]:
    return st.builds(
        TaskKind,
        id=st.just(name),
        description=TEXTS,
        require=WORDS,
        prefer=WORDS,
        roles=st.lists(st.sampled_from(role_names), unique=True, max_size=2).map(tuple),
        worth=maybe(WORTHS),
        examples=EXAMPLES,
    )


def scopes(name: str, strategy_names: list[str]) -> st.SearchStrategy[Scope]:
    budgets = st.builds(
        Budget,
        MONEY,
        st.sampled_from(["day", "week", "month"]),
        st.sampled_from(get_args(records.BudgetMode)),
    )
    return st.builds(
        Scope,
        app=st.just(name) if len(name) % 2 else st.none(),
        user=st.none() if len(name) % 2 else st.just(name),
        strategy=maybe(st.sampled_from(strategy_names)),
        budget=maybe(budgets),
        log_prompts=maybe(st.booleans()),
    )


@st.composite
def pools(draw: st.DrawFn) -> Registry:
    some = st.lists(NAMES, min_size=1, max_size=3, unique=True)
    model_names, endpoint_names, strategy_names, role_names = (draw(some) for _ in range(4))
    groups: dict[str, list[Any]] = {
        "models": [draw(models(name)) for name in model_names],
        "endpoints": [draw(endpoints(name, model_names)) for name in endpoint_names],
        "strategies": [draw(strategies(name)) for name in strategy_names],
        "roles": [draw(roles(name, strategy_names, endpoint_names)) for name in role_names],
        "tasks": [draw(tasks(name, role_names)) for name in draw(some)],
        "scopes": [draw(scopes(name, strategy_names)) for name in draw(some)],
    }
    ordered: dict[str, Any] = {
        section: tuple(sorted(group, key=lambda record: record.id))
        for section, group in groups.items()
    }
    return Registry(0, **ordered)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(pool=pools())
def test_a_pool_written_as_yaml_reads_back_equal(
    loader: type[yaml.SafeLoader], pool: Registry
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rolecall.registry.documents.source.LOADER", loader)
        document = parse_document(dump_registry(pool), "pool.yaml")
    found = {
        section: tuple(e.record for e in document.entries if e.collection == section)
        for section in COLLECTIONS
    }
    assert found == {section: getattr(pool, section) for section in COLLECTIONS}
    assert document.is_whole


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(pool=pools())
def test_a_pool_stored_in_a_registry_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, pool: Registry
) -> None:
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    with open_database(path) as db:
        write_changes(db, pool, changes_between(Registry(0), pool))
        stored = read_registry(db)
    assert stored == Registry(1, *(getattr(pool, field.name) for field in fields(Registry)[1:]))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(pool=pools())
def test_a_single_record_written_for_an_editor_reads_back_equal(pool: Registry) -> None:
    for section in COLLECTIONS:
        for record in getattr(pool, section):
            document = parse_record(section, dump_record(record), "record.yaml")
            assert document.entries[0].record == record


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(pool=pools())
def test_other_yaml_readers_see_the_same_values(pool: Registry) -> None:
    loaded = yaml.load(dump_registry(pool), Loader=_TextLoader)
    for section in COLLECTIONS:
        assert loaded.get(section, []) == [to_plain(record) for record in getattr(pool, section)]


class _TextLoader(yaml.SafeLoader):
    """A plain loader that keeps dates as the text they were written as."""


_TextLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


def test_the_keys_of_each_record_are_its_fields_in_their_order() -> None:
    model = Model("m")
    endpoint = Endpoint("e", "m", price=Price(1.0), profile=Profile(1.0))
    role = Role("r", assignments=(Assignment("e"),))
    for record in (model, endpoint, role, TaskKind("t"), Strategy("s")):
        assert list(to_plain(record)) == [field.name for field in fields(record)]
    plain = to_plain(endpoint)
    assert list(plain["price"]) == [field.name for field in fields(Price)]
    assert list(plain["profile"]) == [field.name for field in fields(Profile)]
    assert list(plain["data_policy"]) == [field.name for field in fields(DataPolicy)]
    assert list(to_plain(role)["assignments"][0]) == [field.name for field in fields(Assignment)]
    assert list(to_plain(Scope(app="a"))) == [field.name for field in fields(Scope)]
