"""Every API × every fault × where it comes × with and without another endpoint behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rolecall.registry.policy.budget import EVERYTHING
from rolecall.registry.storage.calls import CallFilter, stream_calls
from rolecall.registry.storage.spending import spent
from tests.calls.matrix import APIS, CASES, Case, Matrix, opened, problems
from tests.faults.plan import FAULTS


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with opened(tmp_path_factory.mktemp("matrix")) as one:
        yield one


def test_every_fault_of_the_server_is_in_the_matrix() -> None:
    assert {(case.api, case.fault) for case in CASES} == {(a, f) for a in APIS for f in FAULTS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.endpoint)
def test_a_fault_is_survived_and_recorded(matrix: Matrix, case: Case) -> None:
    assert problems(case, matrix.ask(case)) == []


def test_what_was_spent_in_all_is_what_the_calls_cost_or_may_have_cost(matrix: Matrix) -> None:
    matrix.ask(CASES[-1])
    calls = list(stream_calls(matrix.db, CallFilter()))
    booked = [call.reserved_usd if call.cost_usd is None else call.cost_usd for call in calls]
    total = sum(usd or 0.0 for usd in booked)
    assert total > 0
    assert spent(matrix.db, EVERYTHING, "2000-01-01") == pytest.approx(total)
