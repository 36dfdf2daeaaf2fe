"""Endpoints are measured by short real calls, within a limit on what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.calls.probe import (
    Probed,
    ProbeRequest,
    probe_command,
    probe_endpoints,
)
from rolecall.registry.core.chat import Timeouts
from rolecall.registry.core.entities import DataPolicy, Endpoint, Price, Strategy
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.storage.calls import read_call
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import write_record
from rolecall.registry.storage.spending import spent
from rolecall.registry.storage.statistics import read_endpoint_statistics
from rolecall.registry.telemetry.availability import read_availability
from rolecall.registry.telemetry.record import begin_call, end_call
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer
from tests.telemetry.calls import call

TIMEOUTS = Timeouts(0.3, 0.3, 0.3)
# A plan's usage is 12 tokens in and 8 out; a probe is for 60 in and 256 out at worst.
COST_USD, WORST_USD = 28e-6, 572e-6
PLAIN = ("tools",)


@dataclass(frozen=True, slots=True)
class Place:
    server: FaultServer
    db: Database
    client: Client

    def has(self, *served: Served) -> None:
        apply_document(self.db, registry_yaml(self.server, served), "probe.yaml", prune=True)

    def probe(self, *globs: str, most_usd: float = 1.0, **environment: str) -> list[Probed]:
        wanted = ProbeRequest(globs, region="office", max_cost_usd=most_usd)
        return list(probe_endpoints(self.db, self.client, environment, wanted))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place with the endpoints `p/a` and `p/b`."""
    with (
        FaultServer(Plan(token_delay_s=0.01, first_delay_s=0.02)) as server,
        open_registry(tmp_path / "registry.db") as db,
        Client(timeouts=TIMEOUTS) as client,
    ):
        one = Place(server, db, client)
        one.has(*(Served(endpoint=name, capabilities=PLAIN) for name in ("p/a", "p/b")))
        yield one


def only(found: list[Probed]) -> Call:
    [one] = found
    assert one.call is not None
    return one.call


def test_a_probe_is_a_call_marked_so_and_measured(place: Place) -> None:
    first, second = place.probe()
    assert (first.endpoint, second.endpoint) == ("p/a", "p/b")
    assert first.call is not None
    assert read_call(place.db, first.call.id) == first.call
    assert (first.call.sample_source, first.call.region) == ("probe", "office")
    assert (first.call.error_type, first.call.decision_id) == (None, None)
    assert 0.02 <= (first.call.time_to_first_chunk_s or 0) < 0.3
    assert first.call.cost_usd == pytest.approx(COST_USD)
    assert first.tokens_per_s == pytest.approx(1 / (first.call.time_per_output_token_s or 0))
    stats = read_endpoint_statistics(place.db, "p/a")
    assert stats is not None
    assert (stats.samples, stats.ttft_p50_s) == (1, first.call.time_to_first_chunk_s)


def test_a_probe_asks_for_a_short_answer(place: Place) -> None:
    place.probe("p/a")
    [received] = place.server.received("a")
    assert received.body["max_tokens"] == 256
    assert len(received.body["messages"]) == 1


def test_who_thinks_first_gets_room_for_it_as_far_as_there_is_any(place: Place) -> None:
    place.has(
        Served(endpoint="p/a", capabilities=("reasoning",)),
        Served(endpoint="p/b", capabilities=("reasoning",), max_output_tokens=1_000),
        Served(endpoint="p/c", capabilities=PLAIN, reasoning_effort="low"),
        Served(endpoint="p/d", capabilities=PLAIN, reasoning_effort="none"),
    )
    place.probe()
    bodies = [place.server.received(name)[0].body for name in "abcd"]
    assert [body["max_tokens"] for body in bodies] == [2_048, 1_000, 2_048, 256]
    assert [body.get("reasoning_effort") for body in bodies] == [None, None, "low", "none"]


def test_globs_choose_whom_to_probe(place: Place) -> None:
    assert [one.endpoint for one in place.probe("*/b", "p/b")] == ["p/b"]
    with pytest.raises(UnknownRecord, match="zzz"):
        place.probe("p/a", "zzz")


def test_without_endpoints_there_is_nothing_to_probe(place: Place) -> None:
    place.has()
    with pytest.raises(UsageError, match="no endpoint is registered"):
        place.probe()


def test_a_failure_is_found_recorded_and_does_not_end_the_round(place: Place) -> None:
    place.server.plan("a", Plan(fault="server_error"))
    first, second = place.probe()
    assert first.call is not None and second.call is not None  # noqa: PT018
    assert (first.call.error_type, second.call.error_type) == ("server_error", None)
    assert read_call(place.db, first.call.id).error_type == "server_error"
    assert (first.tokens_per_s, first.ttft_change_s) == (None, None)


def test_the_round_stops_where_the_next_probe_might_cost_too_much(place: Place) -> None:
    first, second = place.probe(most_usd=WORST_USD)
    assert first.call is not None
    assert (second.call, second.skipped) == (
        None,
        "$0.00057 at worst, $0.00054 left of --max-cost",
    )
    assert place.server.received("b") == []
    assert spent(place.db, "all", "2000-01-01") == pytest.approx(COST_USD)


def test_a_probe_that_broke_off_may_have_cost_its_worst(place: Place) -> None:
    place.server.plan("a", Plan(fault="cut", at="middle"))
    first, second = place.probe(most_usd=WORST_USD + COST_USD)
    assert first.call is not None
    assert first.call.cost_usd is None
    assert second.skipped == "$0.00057 at worst, $0.000028 left of --max-cost"


def test_free_endpoints_are_probed_without_any_money(place: Place) -> None:
    place.has(Served(endpoint="p/a", price=Price(0.0, 0.0)))
    assert only(place.probe(most_usd=0.0)).cost_usd == 0.0


def test_a_disabled_endpoint_is_left_alone_unless_it_is_named(place: Place) -> None:
    place.has(Served(endpoint="p/a"))
    [endpoint] = _endpoints(place)
    write_record(place.db, replace(endpoint, status="disabled"))
    assert [one.skipped for one in place.probe()] == ["disabled"]
    assert only(place.probe("p/a")).error_type is None


def _endpoints(place: Place) -> tuple[Endpoint, ...]:
    from rolecall.registry.storage.registry import read_registry

    return read_registry(place.db).endpoints


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"local_only": True}, "the policy of balanced: only local is allowed"),
        ({"deny": ("p/b",)}, "the policy of balanced: balanced denies p/b"),
        ({"allow": ("p/a",)}, "the policy of balanced: balanced allows only p/a"),
        ({"regions": ("eu",)}, "the policy of balanced: its region is unknown, allowed: eu"),
        (
            {"data_policy": DataPolicy(trains_on_data=False)},
            "the policy of balanced: may train on data",
        ),
    ],
)
@pytest.mark.parametrize("globs", [[], ["p/*"], ["p/b"]])
def test_what_the_default_strategy_forbids_is_not_probed_even_where_it_is_named(
    place: Place, limits: dict[str, Any], why: str, globs: list[str]
) -> None:
    place.has(
        Served(endpoint="p/a", capabilities=PLAIN, locality="local"),
        Served(endpoint="p/b", capabilities=PLAIN),
    )
    write_record(place.db, Strategy("balanced", **limits))
    found = {one.endpoint: one.skipped for one in place.probe(*globs)}
    assert found.pop("p/a", None) is None
    assert found == {"p/b": why}
    assert place.server.received("b") == []


def test_an_endpoint_of_unknown_price_is_probed_only_by_its_name(place: Place) -> None:
    place.has(
        Served(endpoint="p/a", price=None), Served(endpoint="p/b", price=None, locality="local")
    )
    unknown, local = place.probe()
    said = "price unknown: name it to probe it at the default price"
    assert (unknown.call, unknown.skipped) == (None, said)
    assert local.call is not None
    assert local.call.cost_usd == 0
    [named] = place.probe("p/a")
    assert named.call is not None
    assert named.call.cost_usd is None
    assert named.call.reserved_usd == pytest.approx((12 * 5 + 8 * 25) / 1e6)


def test_without_its_key_an_endpoint_is_skipped(place: Place) -> None:
    place.has(Served(endpoint="p/a", key_env="DESK_KEY"))
    assert [one.skipped for one in place.probe()] == ["DESK_KEY is not set"]
    assert only(place.probe(DESK_KEY="sk-1")).error_type is None


def test_the_change_is_told_since_what_was_measured_before(place: Place) -> None:
    [first] = place.probe("p/a")
    [second] = place.probe("p/a")
    assert first.ttft_change_s is None
    assert first.call is not None and second.call is not None  # noqa: PT018
    now, then = second.call.time_to_first_chunk_s, first.call.time_to_first_chunk_s
    assert now is not None and then is not None  # noqa: PT018
    assert second.ttft_change_s == pytest.approx(now - then)


def test_a_probe_reaches_an_endpoint_whose_circuit_is_open_and_closes_it(place: Place) -> None:
    for _ in range(3):
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        down = replace(call(0), id=now, created_at=now, endpoint="p/a", finished_at=None)
        begin_call(place.db, down, ())
        end_call(place.db, replace(down, error_type="server_error"), None)
    assert "p/a" in read_availability(place.db, "chat", datetime.now(UTC)).offline
    place.probe("p/a")
    assert read_availability(place.db, "chat", datetime.now(UTC)).offline == {}


def test_a_timers_command_has_full_paths_and_every_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["/opt/bin/rolecall"])
    monkeypatch.chdir(tmp_path)
    wanted = ProbeRequest(("p/*", "q/m"), region="office", max_cost_usd=0.05)
    assert probe_command(wanted, Path("my.db")) == [
        "/opt/bin/rolecall",
        *("probe", "p/*", "q/m", "--max-cost", "0.05", "--region", "office"),
        *("--registry", str(tmp_path / "my.db")),
    ]


def test_a_probe_that_nobody_answers_says_so_by_its_exit_code(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one("openai")
    assert rolecall("probe").exit_code == 0
    serving.server.plan("m", Plan(fault="server_error"))
    assert rolecall("probe").exit_code == 4
    assert rolecall("probe", "--max-cost", "0").exit_code == 3
