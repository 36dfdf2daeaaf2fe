"""What the rules of `variants.py` cannot know of models' names. `*` stands for any text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("variant_names.json").read_text(encoding="utf-8")
)


def _lists(table: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(others.split()) for name, others in table.items()}


# Other spellings of one model, as the rules leave them: lower case, no vendor, no date.
SAME = _lists(_TABLES["same"])
# Families whose models go by more than one first word; any other family is called by it.
FAMILIES = _lists(_TABLES["families"])
# What the name alone means where the server reasons by default.
DEFAULT_EFFORT: Mapping[str, str] = _TABLES["default_effort"]
# Snapshots that differ from what the name without their date means: the date stays.
DATED = tuple[str, ...](_TABLES["dated"])
# Names whose end looks like an effort and is none.
WHOLE = tuple[str, ...](_TABLES["whole"])
# Models that always reason: `-thinking` says nothing of them.
ALWAYS_REASONS = tuple[str, ...](_TABLES["always_reasons"])
# Models whose efforts are told apart; for all others "high" and above is `-thinking`.
GRADED = tuple[str, ...](_TABLES["graded"])
# `-max` is an effort of these; elsewhere (qwen3-max) it is part of the name.
MAX_IS_AN_EFFORT = tuple[str, ...](_TABLES["max_is_an_effort"])
