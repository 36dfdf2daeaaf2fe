"""A head taken apart says what it said before."""

from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.signals import read_inputs
from tests.scorer.tiny import MODELS, TinyEncoder, tiny_head, tiny_scorer

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.training.network import Logits  # noqa: E402
from rolecall.registry.scorer.training.own_start import network_of, roster_of  # noqa: E402

PROMPTS = ("sums of two and three", "poems about snow", "neither of the two")
STRANGER = ModelFacts("stranger", parameters_b=70)


def said(tasks: tuple[str, ...]) -> Logits:
    """Return what the tiny head's network says of one known model and a stranger, in training."""
    head = tiny_head()
    views = TinyEncoder().encode(PROMPTS)
    features = np.stack([measure(prompt) for prompt in PROMPTS])
    roster = roster_of(head, ("stranger", MODELS[3]), tasks, (STRANGER, ModelFacts(MODELS[3])))
    assert roster.models == (*MODELS, "stranger")
    assert roster.judged.tolist() == [len(MODELS), 3]
    network = network_of(head, roster, (0.0, 0.0)).eval()
    with torch.no_grad():
        found: Logits = network(torch.tensor(read_inputs(head, views, features)))
    return found


@pytest.mark.parametrize("tasks", [(), ("own/a", "own/b")])
def test_the_network_says_what_the_head_said(tasks: tuple[str, ...]) -> None:
    scorer = tiny_scorer()
    views = TinyEncoder().encode(PROMPTS)
    features = np.stack([measure(prompt) for prompt in PROMPTS])
    signals = scorer.signals(views, features)
    found = said(tasks)
    logits = scorer.latent_logits(signals, np.arange(len(MODELS)))
    np.testing.assert_allclose(found.success.numpy()[..., :-1], logits, atol=1e-5)
    lengths = scorer.log_tokens(signals)
    np.testing.assert_allclose(found.log_tokens.numpy()[0, :, :-1], lengths, atol=1e-5)
    strength, _ = scorer.head.prior.strength([STRANGER])
    by_facts, _, _ = scorer.facts_logits(signals, strength)
    np.testing.assert_allclose(found.success.numpy()[0, :, -1:], by_facts, atol=1e-3)


def test_a_stranger_answers_as_long_as_the_reference_models_do() -> None:
    lengths = said(()).log_tokens.numpy()
    np.testing.assert_allclose(lengths[..., -1], lengths[..., :-1].mean(axis=-1), atol=1e-5)


def test_only_what_the_base_lacks_is_added_to_it() -> None:
    head = tiny_head()
    roster = roster_of(head, MODELS[:1], ("own/a",), (ModelFacts(MODELS[0]),))
    assert roster.tasks == ("own/a",)
    assert roster.facts == ()
