from datetime import UTC, datetime, timedelta, timezone

from rolecall.registry.core.clock import stamp

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_stamps_sort_as_their_moments_do() -> None:
    moments = [NOON + timedelta(microseconds=n) for n in (0, 1, 500, 250_000, 1_000_000)]
    assert sorted(stamp(one) for one in moments) == [stamp(one) for one in moments]
    assert stamp(NOON.astimezone(timezone(timedelta(hours=5)))) == stamp(NOON)
