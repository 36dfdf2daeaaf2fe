from __future__ import annotations

from pathlib import Path

from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.evaluation.dry_router import open_dry_router
from rolecall.registry.scorer.model import Scorer

HELLO = Request((Message("user", "hello there"),))


def test_without_a_registry_the_starter_pool_is_used_and_no_file_is_made(
    tmp_path: Path,
) -> None:
    missing = tmp_path / "missing.db"
    with open_dry_router(missing, Scorer.load()) as router:
        decision = router.decide(HELLO, RoutingChoices(), record=False)
    assert len(decision.candidates) > 5
    assert not missing.exists()


def test_every_key_counts_as_set_and_the_clock_stands_still(tmp_path: Path) -> None:
    with open_dry_router(tmp_path / "missing.db", Scorer.load()) as router:
        decision = router.decide(HELLO, RoutingChoices(), record=False)
        assert not [one for one in decision.excluded if one.code == "AUTH_UNAVAILABLE"]
        assert router.now() == router.now()
