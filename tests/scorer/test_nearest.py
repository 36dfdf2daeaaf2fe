from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.core.errors import ScorerUnusable
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
    ("write", "write a friendly email to a customer"),
    ("write", "make this paragraph shorter and clearer"),
    ("write", "draft a blog post about our new product"),
)
Vectors = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@pytest.fixture(scope="module")
def vectors(scorer: Scorer) -> Vectors:
    return decode_vectors(encode_examples(scorer.encoder, [text for _, text in EXAMPLES]))


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("my unit test fails with an assertion error, why?", "code"),
        ("prove that the product of two odd numbers is odd", "math"),
        ("draft an email to a client about the delay", "write"),
    ],
)
def test_a_prompt_gets_the_label_of_its_nearest_examples(
    scorer: Scorer, vectors: Vectors, prompt: str, label: str
) -> None:
    found = nearest_task(prompt, scorer.read(prompt).vector, EXAMPLES, vectors)
    assert found is not None
    assert EXAMPLES[found.row][0] == label
    assert found.confidence > 0.5
    assert not found.is_near


@pytest.mark.parametrize("prompt", ["hi", "what is the weather like?", "best pizza in Naples?"])
def test_a_prompt_far_from_every_example_is_unsure(
    scorer: Scorer, vectors: Vectors, prompt: str
) -> None:
    found = nearest_task(prompt, scorer.read(prompt).vector, EXAMPLES, vectors)
    assert found is not None
    assert found.confidence < 0.5


def test_nearly_the_same_words_are_near(scorer: Scorer, vectors: Vectors) -> None:
    prompt = "Please solve this equation for x!"
    found = nearest_task(prompt, scorer.read(prompt).vector, EXAMPLES, vectors)
    assert found is not None
    assert (EXAMPLES[found.row][1], found.is_near) == ("solve this equation for x", True)


def test_a_like_vector_of_other_words_is_not_near(vectors: Vectors) -> None:
    found = nearest_task("यह समीकरण हल करो", vectors[3], EXAMPLES, vectors)
    assert found is not None
    assert not found.is_near


def test_the_order_of_examples_does_not_matter(scorer: Scorer, vectors: Vectors) -> None:
    for prompt in ("clean up this code", "refactor this function"):
        vector = scorer.read(prompt).vector
        one = nearest_task(prompt, vector, EXAMPLES, vectors)
        other = nearest_task(prompt, vector, EXAMPLES[::-1], vectors[::-1])
        assert one is not None
        assert other is not None
        assert EXAMPLES[one.row] == EXAMPLES[::-1][other.row]
        assert one.confidence == other.confidence


def test_equal_scores_go_to_the_first_label_of_the_alphabet() -> None:
    row = np.ones((1, WIDTH), np.float32) / np.float32(WIDTH**0.5)
    examples = [("b", "same"), ("a", "same")]
    found = nearest_task("other", row[0], examples, np.concatenate([row, row]))
    assert found is not None
    assert (examples[found.row][0], found.confidence) == ("a", 0.5)


def test_stored_vectors_come_back_nearly_as_they_were(scorer: Scorer) -> None:
    texts = ["refactor this", "hello"]
    blob = encode_examples(scorer.encoder, texts)
    assert len(blob) == 2 * 2 * WIDTH
    np.testing.assert_allclose(decode_vectors(blob), scorer.encode(texts), atol=1e-3)


def test_a_blob_cut_short_is_refused() -> None:
    with pytest.raises(ScorerUnusable):
        decode_vectors(b"\x00" * 5)
