"""The figure for a talk: what is in the file, and that it is the same every time."""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from rolecall.cli.render.plot import write_plot
from rolecall.registry.core.errors import RegistryError
from tests.cli.evaluated import segment

FREE = segment(singles={"own": (0.0, 0.4), "other": (0.0, 0.8)}, curves={})


def texts(svg: str) -> list[str]:
    """Return every text of an SVG, as a reader could select it."""
    return [re.sub("<.*?>", "", one) for one in re.findall(r"<text.*?</text>", svg, re.DOTALL)]


def test_an_svg_holds_its_words_as_text(tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    write_plot(path, [segment()])
    found = texts(path.read_text())
    assert "route: saves 41 % (35–47) at equal success" in found
    assert "success on world (1,234 prompts)" in found
    assert {"ours", "nearest", "task means", "oracle", "large", "$1"} <= set(found)


def test_the_best_and_the_models_on_the_hull_are_named_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    write_plot(path, [segment()])
    found = texts(path.read_text())
    assert "small" in found
    assert "middle" not in found


def test_the_same_segments_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    for path in (first, second):
        write_plot(path, [segment()])
    assert first.read_bytes() == second.read_bytes()
    assert b"<dc:date>" not in first.read_bytes()


def test_a_png_has_200_dots_to_the_inch(tmp_path: Path) -> None:
    path = tmp_path / "curve.PNG"
    write_plot(path, [segment()])
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1720, 1120)


def test_each_data_set_with_costs_has_a_panel(tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    write_plot(path, [segment(), FREE | {"dataset": "free"}, segment(dataset="other")])
    labels = [text for text in texts(path.read_text()) if text.startswith("success on ")]
    assert labels == ["success on world (1,234 prompts)", "success on other (1,234 prompts)"]


def test_long_verdicts_are_folded(tmp_path: Path) -> None:
    verdict = "don't: use large for everything; routing adds nothing here (−0.2 … +0.4 points)"
    path = tmp_path / "curve.svg"
    write_plot(path, [segment(verdict=verdict)])
    shown = [text for text in texts(path.read_text()) if text and text in verdict]
    assert max(map(len, shown)) < 60


def test_what_costs_nothing_is_left_out_of_a_logarithmic_axis(tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    write_plot(path, [segment(singles={"own": (0.0, 0.4), "large": (0.01, 0.8)})])
    assert "own" not in texts(path.read_text())


def test_without_costs_there_is_nothing_to_plot(tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    with pytest.raises(RegistryError, match="nothing to plot") as caught:
        write_plot(path, [FREE, segment() | {"curves": None, "singles": None}])
    assert caught.value.hint == "give prices: --prices FILE"
    assert not path.exists()


def test_each_tick_of_success_is_told_from_the_next(tmp_path: Path) -> None:
    near = {"small": (0.0001, 0.9712), "large": (0.01, 0.9931)}
    path = tmp_path / "curve.svg"
    one = segment(singles=near, curves={})
    one["policies"] = []
    write_plot(path, [one])
    ticks = [float(text[:-1]) for text in texts(path.read_text()) if text.endswith("%")]
    assert len(set(ticks)) == len(ticks) >= 4
    steps = {round(after - before, 6) for before, after in pairwise(sorted(ticks))}
    assert steps == {0.5}
