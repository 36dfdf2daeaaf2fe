from __future__ import annotations

from pathlib import Path

from tests.learning.crashing import crash
from tests.learning.crowd import crowd


def test_asks_killed_at_any_moment_leave_a_sound_registry(tmp_path: Path) -> None:
    found = crash(tmp_path, kills=10)
    assert 1 < found["calls"] <= 11
    assert found["received"] <= found["calls"]


def test_asks_of_many_processes_are_all_recorded_and_add_up(tmp_path: Path) -> None:
    found = crowd(tmp_path, processes=4, asks=6)
    assert found["calls"] == found["received"]
    assert found["failed"] > 0
