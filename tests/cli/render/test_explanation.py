"""An explanation fits a screen of 24 rows and 80 columns, and --all shows the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rolecall

NAMES = ("ANTHROPIC", "OPENAI", "GEMINI", "GROQ", "DEEPSEEK", "MISTRAL")
KEYS = {f"{name}_API_KEY": "k" for name in NAMES}
PROMPTS = ("why does this deadlock?", "Prove the Riemann-Roch theorem.", "hi", "wie geht's?")


@pytest.mark.parametrize("keys", [{}, {"OPENAI_API_KEY": "k"}, KEYS], ids=["none", "one", "all"])
@pytest.mark.parametrize("strategy", ["balanced", "fast", "private", "cheapest"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_an_explanation_fits_a_screen(
    prompt: str, strategy: str, keys: dict[str, str], rolecall: Rolecall
) -> None:
    asked = ("explain", "--prompt", prompt, "--strategy", strategy)
    shown = rolecall(*asked, env=keys).stdout.splitlines()
    assert len(shown) <= 23
    assert max(map(len, shown)) <= 80
    if strategy != "private" or not keys:
        assert any(line.startswith("▸ ") for line in shown)
    assert any(line.startswith("why") for line in shown)
    full = rolecall(*asked, "--all", env=keys).stdout.splitlines()
    assert len(full) >= len(shown)
    assert not any("--all shows them" in line for line in full)


def test_the_top_five_are_shown_and_the_others_counted(rolecall: Rolecall) -> None:
    shown = rolecall("explain", "--prompt", "hello", env=KEYS).stdout
    assert "  … 12 more ranked below (--all shows them)\n" in shown
    full = rolecall("explain", "--prompt", "hello", "--all", env=KEYS).stdout
    assert len([line for line in full.splitlines() if " def. " in line]) == 17


def test_exclusions_that_are_left_out_are_counted(rolecall: Rolecall) -> None:
    shown = rolecall("explain", "--prompt", "hello", "--strategy", "fast").stdout
    excluded = shown.split("excluded\n")[1].split("\ntask ")[0].splitlines()
    assert len(excluded) >= 4
    listed = len(excluded) - 1
    assert excluded[-1] == f"  … {14 - listed} more excluded as well (--all shows them)"
