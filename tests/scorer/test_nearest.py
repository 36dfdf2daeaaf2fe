from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.encoder import WIDTH
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.nearest import decode_vectors, encode_examples, nearest_task

EXAMPLES = (
    ("code", "refactor this function"),
    ("code", "why does this test fail?"),
    ("code", "write a script that renames files"),
    ("math", "solve this equation for x"),
    ("math", "prove that the sum is even"),
    ("math", "what is the probability of two sixes?"),
    ("extract", "list all email addresses in this text"),
    ("extract", "return the names and dates as JSON"),
    ("extract", "pull the invoice total out of this letter"),
    ("write", "write a friendly email to a customer"),
    ("write", "make this paragraph shorter and clearer"),
    ("write", "draft a blog post about our new product"),
)


@pytest.fixture(scope="module")
def vectors(scorer: Scorer) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return decode_vectors(encode_examples(scorer.encoder, [text for _, text in EXAMPLES]))


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("please refactor the parser function below", "code"),
        ("my unit test fails with an assertion error, why?", "code"),
        ("prove that the product of two odd numbers is odd", "math"),
        ("solve 3x + 5 = 20 for x", "math"),
        ("extract the invoice number and total as JSON", "extract"),
        ("draft an email to a client about the delay", "write"),
    ],
)
def test_a_prompt_gets_the_label_of_its_nearest_examples(
    scorer: Scorer,
    vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    prompt: str,
    label: str,
) -> None:
    found = nearest_task(scorer.read(prompt).vector, EXAMPLES, vectors)
    assert found is not None
    assert found.label == label
    assert found.confidence > 0.5
    assert (label, found.example) in EXAMPLES


@pytest.mark.parametrize(
    "prompt", ["hi", "what is the weather like?", "best pizza in Naples?", "ok"]
)
def test_a_prompt_far_from_every_example_is_unsure(
    scorer: Scorer,
    vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    prompt: str,
) -> None:
    found = nearest_task(scorer.read(prompt).vector, EXAMPLES, vectors)
    assert found is not None
    assert found.confidence < 0.4


def test_an_example_itself_is_sure(
    vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    found = nearest_task(vectors[3], EXAMPLES, vectors)
    assert found is not None
    assert (found.label, found.example) == ("math", "solve this equation for x")
    assert found.similarity == pytest.approx(1, abs=1e-3)


def test_the_order_of_examples_does_not_matter(
    scorer: Scorer, vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    vector = scorer.read("clean up this code").vector
    assert nearest_task(vector, EXAMPLES, vectors) == nearest_task(
        vector, EXAMPLES[::-1], vectors[::-1]
    )


def test_no_examples_decide_nothing() -> None:
    assert nearest_task(np.ones(WIDTH, np.float32), (), np.empty((0, WIDTH), np.float32)) is None


def test_equal_scores_go_to_the_first_label_of_the_alphabet() -> None:
    row = np.ones((1, WIDTH), np.float32) / np.float32(WIDTH**0.5)
    found = nearest_task(row[0], [("b", "same"), ("a", "same")], np.concatenate([row, row]))
    assert found is not None
    assert (found.label, found.confidence) == ("a", 0.5)


def test_stored_vectors_come_back_nearly_as_they_were(scorer: Scorer) -> None:
    texts = ["refactor this", "hello"]
    blob = encode_examples(scorer.encoder, texts)
    assert len(blob) == 2 * 2 * WIDTH
    np.testing.assert_allclose(decode_vectors(blob), scorer.encode(texts), atol=1e-3)


def test_a_blob_cut_short_is_refused() -> None:
    with pytest.raises(ScorerUnusable):
        decode_vectors(b"\x00" * 5)
