"""One endpoint behind a server that limits, fails and breaks off as often as not."""

from __future__ import annotations

import random

import pytest

from rolecall.registry.calls.events import Answered, AskRequest
from rolecall.registry.core.chat import Chat, Text, Turn
from rolecall.registry.core.errors import AllFailed
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.scorer.model import Scorer
from tests.calls.pausing import Pausing
from tests.calls.serving import Serving
from tests.faults.plan import Plan

ASKS, LEAST_WHOLE = 30, 20
ANSWER = "One answer of several words, whole to its end."
LIMITED, FAILED = Plan(fault="rate_limit", retry_after="1"), Plan(fault="server_error")
CUT, CLOSED = Plan(text=ANSWER, fault="cut", at="middle"), Plan(fault="close", text=ANSWER)


def chaos(seed: int) -> list[Plan]:
    """Return what becomes of each of many tries: 20 % limited, 10 % failed, 20 % broken off."""
    drawn = random.Random(seed)
    kinds = [
        *[LIMITED] * 20,
        *[FAILED] * 10,
        *[CUT] * 10,
        *[CLOSED] * 10,
        *[Plan(text=ANSWER)] * 50,
    ]
    return [drawn.choice(kinds) for _ in range(3 * ASKS)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("stream", [True, False])
def test_at_least_two_of_three_asks_are_answered_whole_and_none_in_part(
    serving: Serving, scorer: Scorer, seed: int, *, stream: bool
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", *chaos(seed))
    wanted = AskRequest(
        Chat((Turn("user", (Text("hello"),)),)),
        RoutingChoices(endpoints=(endpoint,)),
        stream=stream,
    )
    clock, answers = Pausing(), list[str]()
    with clock.asker(scorer) as asker:
        for _ in range(ASKS):
            try:
                [*_, last] = asker.ask(wanted)
            except AllFailed:
                continue
            assert isinstance(last, Answered)
            answers.append(last.answer.text)
    assert set(answers) == {ANSWER}
    assert len(answers) >= LEAST_WHOLE
    assert max(clock.pauses) <= 1.0
