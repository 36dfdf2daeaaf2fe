"""Attachments cost what the providers' documents say, at most."""

from __future__ import annotations

import pytest

from rolecall.registry.core.requests import MediaSize
from rolecall.registry.core.text_tokens import text_tokens
from rolecall.registry.routing.rules.media_tokens import (
    FAMILIES,
    Family,
    expected_media_tokens,
    most_media_tokens,
)

PAGE = text_tokens("A line of text that is repeated on the page. " * 40)


def image(width: int, height: int) -> MediaSize:
    return MediaSize("image", 1_000, width, height)


def most(size: MediaSize, family: Family) -> float:
    found = most_media_tokens(size, family)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("family", "size", "billed"),
    [
        # ceil(w/28) · ceil(h/28) and the block around it
        ("claude", (1_568, 728), 1_460),
        ("claude", (200, 200), 68),
        # 258 per tile
        ("gemini", (960, 540), 6 * 258),
        ("gemini", (300, 300), 258),
        ("gemini", (3_072, 3_072), 16 * 258),
        # 85 and 170 per tile; patches of 32 pixels by the model's factor
        ("openai", (1_024, 1_024), 765),
        ("openai", (2_048, 4_096), 1_105),
        ("openai", (1_024, 1_024), 1_024 * 2.46),
        ("openai", (1_800, 2_400), 1_452 * 2.46),
        ("openai", (3_000, 3_000), 10_603),
        ("gpt-4o-mini", (1_024, 1_024), 25_501),
        ("gpt-4o-mini", (512, 512), 8_500),
        # others: the largest of all, Qwen's patches and Pixtral's
        ("other", (1_024, 1_024), 64 * 64 + 64),
        ("other", (4_000, 3_000), 143 * 108),
    ],
)
def test_an_image_is_bounded_by_what_its_maker_bills(
    family: Family, size: tuple[int, int], billed: float
) -> None:
    assert billed <= most(image(*size), family)


def test_a_bound_of_an_image_is_not_far_above_the_largest_bill() -> None:
    assert most(image(1_568, 728), "claude") <= 1_500
    assert most(image(200, 200), "claude") <= 80
    assert most(image(1_024, 1_024), "openai") <= 2_600
    assert most(image(1_024, 1_024), "gemini") <= 2_400


def test_an_image_of_unknown_size_is_the_largest_that_each_bills() -> None:
    for family in FAMILIES:
        unknown = most(MediaSize("image"), family)
        for size in ((8_000, 8_000), (2_048, 768), (768, 2_048), (6_000, 300), (30, 20_000)):
            assert most(image(*size), family) <= unknown, (family, size)


def test_a_larger_image_is_not_expected_to_cost_less() -> None:
    sizes = [(50, 50), (300, 300), (1_000, 800), (4_000, 3_000)]
    expected = [expected_media_tokens(image(*size)) for size in sizes]
    assert expected == sorted(expected)
    assert expected[0] < 10
    assert expected[-1] == 1_600


def test_a_pdf_costs_its_text_and_an_image_a_page() -> None:
    pages = MediaSize("pdf", 100_000, pages=200, text=PAGE)
    # As documented: 1,500 to 3,000 tokens of a page for Claude, its text included.
    assert 200 * 1_500 < expected_media_tokens(pages) < 200 * 3_000
    assert most(pages, "claude") >= 200 * 1_600 + PAGE.most_of_claude
    assert most(pages, "gemini") >= 200 * 560
    assert most(pages, "openai") >= 200 * 1_105 + PAGE.most
    assert most(pages, "other") >= max(most(pages, family) for family in ("claude", "openai")) - (
        PAGE.most_of_claude - PAGE.most
    )


def test_sound_and_video_cost_by_the_second() -> None:
    hour = MediaSize("audio", 50_000_000, seconds=3_600.0)
    for family in FAMILIES:
        assert 32 * 3_600 <= most(hour, family) <= 32 * 3_700
    assert expected_media_tokens(hour) == 32 * 3_600
    film = MediaSize("video", 50_000_000, seconds=60.0)
    assert most(film, "gemini") >= 60 * 290
    assert most_media_tokens(film, "other") is None


def test_sound_of_unknown_length_is_as_long_as_its_bytes_can_be() -> None:
    # 500 bytes a second, the slowest speech codec.
    assert most(MediaSize("audio", 500_000), "openai") >= 1_000 * 32
    assert most_media_tokens(MediaSize("audio"), "openai") is None
