"""The frozen records of what the user had judged."""

from __future__ import annotations

from dataclasses import dataclass

from rolecall.registry.core.value_types import Fraction, Name, Prompt, Tokens


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """How good one model's answers to a prompt were, 0–1: the mean of so many samples."""

    model: Name
    score: Fraction
    samples: Tokens = 1
    output_tokens: float | None = None


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """One prompt that the user had judged, as the scorer reads it; fits learn from such rows.

    Rows of one `group` (by default the row's id) never straddle a split. `added_at` and `source`
    say when the latest answers came, and from which files.
    """

    prompt: Prompt
    task: str = ""
    group: str | None = None
    answers: tuple[JudgedAnswer, ...] = ()
    added_at: str = ""
    source: str = ""

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the prompt."""
        from hashlib import sha256  # 3 ms that a completion in the shell does without

        return sha256(self.prompt.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]
