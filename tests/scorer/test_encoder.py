from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rolecall.registry.scorer.encoder import MOST_TOKENS
from rolecall.registry.scorer.features import FEATURES, measure
from rolecall.registry.scorer.model import Scorer

TEXTS = (
    "hi",
    "Translate 'good morning' into French.",
    "def f(xs):\n    return sorted(set(xs))[::-1]\n\nWhat does f([3, 1, 3]) return?",
    r"Evaluate $\int_0^1 \frac{\ln x}{1+x}\,dx$ and justify each step.",
    "¿Cuál es la capital del Perú? Отвечайте по-русски. 日本語でもお願いします。",
    "Which of these is a prime number?\nA. 51\nB. 57\nC. 59\nD. 63",
    "log line 17: connection refused\n" * 60 + "why?",
)


def test_a_text_has_the_same_vector_alone_in_company_and_again(scorer: Scorer) -> None:
    together = scorer.encode(TEXTS)
    alone = np.concatenate([scorer.encode([text]) for text in reversed(TEXTS)])[::-1]
    assert np.array_equal(together, alone)


def test_a_long_text_is_read_by_its_beginning_and_its_end(scorer: Scorer) -> None:
    log = "worker 3 finished job in 12 ms\n" * 2000
    ids = scorer.encoder.token_ids(log + "why does this deadlock?")
    assert len(ids) == MOST_TOKENS
    asked, other = scorer.encode([log + "why does this deadlock?", log + "write a haiku on rain"])
    assert asked @ other < 0.99


def test_a_request_in_the_middle_of_a_long_text_is_read(scorer: Scorer) -> None:
    log = "worker 3 finished job in 12 ms\n" * 400
    asked, other = scorer.encode(
        [f"{log}Summarise what went wrong.\n{log}", f"{log}Write a haiku about rain.\n{log}"]
    )
    assert asked @ other < 0.99


def test_the_middle_of_a_huge_text_costs_and_changes_nothing(scorer: Scorer) -> None:
    start, end = "it says in this log. " * 300, "\nwhat went wrong? " * 300
    vectors = scorer.encode([start + "x" * 10_000 + end, start + "y " * 2_500_000 + end])
    assert np.array_equal(vectors[0], vectors[1])


@pytest.mark.parametrize("text", ["", "\n\n", "\x00\x01", "a" * 300, "\ud800"])
def test_odd_texts_are_encoded_all_the_same(scorer: Scorer, text: str) -> None:
    assert np.isfinite(measure(text)).all()
    assert np.isfinite(scorer.encode([text])).all()


def test_features_see_code_options_latex_and_proofs() -> None:
    def seen(text: str) -> dict[str, float]:
        return dict(zip(FEATURES, measure(text).tolist(), strict=True))

    assert seen("```py\ndef f():\n    return 1\n```")["is_fenced"] == 1
    assert seen("def f(): return 1")["log_code"] > 0
    assert seen("Pick one.\nA. yes\nB. no")["log_options"] == pytest.approx(np.log(3))
    assert seen(r"compute \frac{1}{2} and $x^2$")["log_latex"] > 0
    assert seen("Show that 2 is prime")["asks_proof"] == 1
    assert seen("2024")["digit_share"] == 1
    exam = seen("Which of these is not the largest, 4.5 or 120?\nA. $120\nB. about 4.5 of them")
    assert exam["is_negated"] == 1
    assert exam["log_decimals"] == pytest.approx(np.log(2))
    assert exam["number_option_share"] == 0.5
    assert exam["log_largest_number"] == pytest.approx(np.log(121))
    assert exam["log_distinct_numbers"] == pytest.approx(np.log(3))
    assert exam["log_question_chars"] < exam["log_chars"]
    assert seen("Is it wise to ask why? Who knows how.")["asks_whether"] == 1
    assert seen("It is wise to ask. Who knows how.")["asks_whether"] == 0
    loop = seen("for x in xs:\n        print('yes')")
    assert loop["log_loops"] > 0
    assert loop["log_strings"] > 0
    assert not any(measure("").tolist())


def test_scoring_leaves_no_trace_for_onnxruntime_to_report(tmp_path: Path) -> None:
    code = "from rolecall.registry.scorer.model import Scorer; Scorer.load().encode(['hi'])"
    unset = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    place = tmp_path / "untouched"
    place.mkdir()
    subprocess.run([sys.executable, "-c", code], env=environment | {"HOME": str(place)}, check=True)
    assert list(place.iterdir()) == []
