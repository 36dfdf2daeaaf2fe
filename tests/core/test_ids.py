from datetime import UTC, datetime, timedelta

from rolecall.registry.core.ids import new_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_ids_sort_by_time_and_do_not_collide() -> None:
    first = {new_id(NOW) for _ in range(1000)}
    assert len(first) == 1000
    assert max(first) < new_id(NOW + timedelta(milliseconds=1))
    assert {len(one) for one in first} == {16}
