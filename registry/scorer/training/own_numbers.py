"""What own rows say of likenesses and of models' numbers, with the network as it is.

Given the network's signals, the logit of a success is linear in the numbers of its model, so that
both steps are convex: the same rows always settle on the same numbers, and a prior holds where
there are few of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rolecall.registry.scorer.training.losses import Truth, success_loss
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.own_settings import Belief, OwnSettings

_MOST_STEPS = 150
# No number is believed to be fixed, even where no trained model differs by it.
_LEAST_VARIANCE = 0.02  # of the mean variance
_LIKENESS_LEVEL_VARIANCE = 10.0
_EVERYDAY_VARIANCE = 3.0
_LENGTH_PROMPTS = 10.0  # what it takes to believe half of a shift in length
# What a single prompt says is never believed to be nothing at all.
_LEAST_PROMPT = 0.1


@dataclass(frozen=True, slots=True)
class Given:
    """What the numbers are settled on: N own prompts, then A everyday ones.

    `truth` is of the own prompts and the judged models, the columns `judged` (J,) of all;
    `believed` (A, M) is of the everyday prompts, null while nobody knows how the models stand.
    `everyday` is these prompts' task. The first `base` models are those that the base knew.
    `dispersion` is how much the scores scatter, against what right and wrong alone would: with
    less, each tells more. `likeness` is what own prompts are like to networks that never saw
    them, null where that is not known.
    """

    inputs: Tensor  # (N + A, D)
    labels: Tensor  # (N + A,): tasks, -1 for one without a likeness
    tasks: tuple[int, ...]  # those of the own prompts
    truth: Truth
    judged: Tensor
    everyday: int
    base: int
    believed: Tensor | None
    strength_variance: float
    dispersion: float
    likeness: Tensor | None = None  # (E, N, T)


def settle_likeness(settings: OwnSettings, network: Network, given: Given) -> None:
    """Learn how the own tasks show in a prompt; every other task's weights stay as they are."""
    columns = torch.tensor(given.tasks, dtype=torch.long)
    if not len(columns):
        return
    labelled = given.labels >= 0
    inputs, labels = given.inputs[labelled], given.labels[labelled]
    with torch.no_grad():
        start = inputs @ network.task_weight + network.task_bias  # (E, N, T)
        theirs = start[:, torch.arange(len(labels)), labels]  # (E, N), of its own task
        start, others = start[..., columns], start.index_fill(2, columns, -torch.inf)
        rest = others.logsumexp(dim=2, keepdim=True)
        # Own prompts are what will be asked: in doubt a prompt is one of them.
        is_everyday = labels == given.everyday
        share = settings.everyday_share * (~is_everyday).sum() / is_everyday.sum().clamp(min=1)
        weights = torch.where(is_everyday, share, 1.0)
    own = (labels[:, None] == columns).to(inputs.dtype)  # (N, T own)
    members = len(start)
    weight = torch.zeros(members, inputs.shape[1], len(columns), requires_grad=True)
    level = torch.zeros(members, 1, len(columns), requires_grad=True)

    def loss() -> Tensor:
        moved = inputs @ weight + level
        total = torch.cat([start + moved, rest], dim=2).logsumexp(dim=2)
        missed = total - theirs - (moved * own).sum(dim=2)  # (E, N)
        found = (missed * weights).mean(dim=1).sum()
        drawn = weight.square().sum() / settings.likeness_variance
        drawn = drawn + level.square().sum() / _LIKENESS_LEVEL_VARIANCE
        return found + drawn / 2 / len(labels)

    _minimise(loss, [weight, level])
    with torch.no_grad():
        network.task_weight.index_add_(2, columns, weight)
        network.task_bias.index_add_(2, columns, level)


def likeness_of(network: Network, inputs: Tensor) -> Tensor:
    """Return how like each task the network finds the prompts, (E, N, T), without dropout."""
    with torch.no_grad():
        return (inputs @ network.task_weight + network.task_bias).softmax(dim=-1)


def settle_numbers(settings: OwnSettings, network: Network, given: Given, belief: Belief) -> None:
    """Learn the judged models' numbers, and what all models share of level and easiness."""
    dim, members = network.shape.dim, network.shape.members
    with torch.no_grad():
        signals, likeness = _read(network, given.inputs)
        if given.likeness is not None:
            # Prompts that taught the likenesses look surer than any that will be asked.
            likeness[:, : given.likeness.shape[1]] = given.likeness
        meeting = torch.cat([signals[..., :dim], likeness], dim=-1)  # (E, N + A, width)
        easiness = signals[..., dim, None]
        prior = _prior(settings, network, given, belief)
        latents = network.latents().index_add(1, given.judged, prior.moved)
    count = len(given.truth.scores)
    cells = float((~torch.isnan(given.truth.scores)).sum())
    origin = torch.zeros(members, latents.shape[-1], requires_grad=True)
    own = torch.zeros_like(prior.moved, requires_grad=True)
    stretch = torch.zeros(members, 1, 1, requires_grad=True)

    def loss() -> Tensor:
        numbers = (latents + origin[:, None]).index_add(1, given.judged, own)
        ease = (belief.prompt + stretch) * easiness
        said = _success(meeting[:, :count], ease[:, :count], numbers[:, given.judged])
        found = success_loss(said, given.truth)
        if given.believed is not None:
            everyday = _success(meeting[:, count:], ease[:, count:], numbers)
            found = found + settings.everyday_weight * everyday_loss(everyday, given)
        drawn = (origin.square() / prior.shared).sum() + (own.square() / prior.apart).sum()
        drawn = drawn + stretch.square().sum() / prior.stretch
        return found + given.dispersion * drawn / 2 / cells

    _minimise(loss, [origin, own, stretch])
    with torch.no_grad():
        network.origin.add_(origin)
        network.deviation.index_add_(1, given.judged, prior.moved + own)
        # Easiness is what the head adds to every model's logit, so that it takes the stretch.
        network.signal_weight[..., dim].mul_(belief.prompt + stretch[..., 0])
        network.signal_bias[..., dim].mul_(belief.prompt + stretch[..., 0])


def everyday_loss(said: Tensor, given: Given) -> Tensor:
    """Cross-entropy with what is believed of everyday prompts, (E, A, M) logits.

    The judged models together weigh as much as all the others.
    """
    assert given.believed is not None
    target = given.believed.expand_as(said)
    each = functional.binary_cross_entropy_with_logits(said, target, reduction="none")
    by_model = each.mean(dim=1)  # (E, M)
    is_judged = torch.zeros(said.shape[-1], dtype=torch.bool)
    is_judged[given.judged] = True
    sides = [by_model[:, side].mean(dim=1) for side in (is_judged, ~is_judged) if bool(side.any())]
    return torch.stack(sides).mean(dim=0).sum()


def settle_lengths(network: Network, given: Given) -> None:
    """Move each judged model's length to where its answers were, on the scale of logarithms.

    First over all prompts, then on each own task by itself; medians, drawn to nothing where
    there are few.
    """
    tokens = given.truth.tokens
    own = given.inputs[: len(tokens)]
    every = torch.ones(len(tokens), dtype=torch.bool)
    with torch.no_grad():
        network.token_bias.index_add_(1, given.judged, _misread(network, given, own, every))
        for task in given.tasks:
            inside = given.truth.tasks == task
            if bool(inside.any()):
                column = network.shape.token_dim + task
                moved = _misread(network, given, own[inside], inside)
                network.token_latent[..., column].index_add_(1, given.judged, moved)


def _misread(network: Network, given: Given, inputs: Tensor, rows: Tensor) -> Tensor:
    """Return by how much these prompts' lengths are misread in the middle, (E, J)."""
    tokens = given.truth.tokens[rows]
    said = network(inputs).log_tokens[..., given.judged]  # (E, n, J)
    middle = torch.nan_to_num((torch.log1p(tokens) - said).nanmedian(dim=1).values)
    seen = (~torch.isnan(tokens)).sum(dim=0)
    return seen / (seen + _LENGTH_PROMPTS) * middle


@dataclass(frozen=True, slots=True)
class _Prior:
    """Where the judged models' numbers are believed to be, and how far from there.

    `moved` (E, J, width + 1) is added to their numbers at first; `apart` of the same shape are
    variances, `shared` (E, width + 1) those of what all models share, `stretch` of easiness.
    """

    moved: Tensor
    apart: Tensor
    shared: Tensor
    stretch: float


def _prior(settings: OwnSettings, network: Network, given: Given, belief: Belief) -> _Prior:
    """Models are believed to be as far from their line as the base's are (empirical Bayes).

    Strangers are believed to be as far along it as strength is unsure.
    """
    dim = network.shape.dim
    columns = dim + torch.tensor(given.tasks, dtype=torch.long)
    line = network.line()  # (E, width + 1)
    away = network.deviation[:, : given.base]
    away = away - away.mean(dim=1, keepdim=True)
    length = line.square().sum(dim=-1)[:, None, None]
    along = (away * line[:, None]).sum(dim=-1, keepdim=True) / length
    off = (away - along * line[:, None]).square().mean(dim=1)  # (E, width + 1)
    mean = off.mean(dim=1, keepdim=True)
    kept = max(belief.prompt, _LEAST_PROMPT) ** 2
    off = off + _LEAST_VARIANCE * mean
    shared = settings.stranger_factor * mean.expand_as(off).clone()
    shared[:, :dim] *= kept
    shared[:, columns] = belief.level
    shared[:, -1] = settings.level_variance
    stranger = settings.stranger_factor * off + given.strength_variance * line.square()
    stranger[:, :dim] *= kept
    factors = torch.where(given.judged < given.base, settings.known_factor, 1.0)
    apart = factors[:, None] * stranger[:, None]  # (E, J, width + 1)
    apart[..., columns] = belief.task
    if given.believed is not None:
        # Whatever own rows say of a model, its level on everyday prompts is free to stay.
        shared[:, dim + given.everyday] = apart[..., dim + given.everyday] = _EVERYDAY_VARIANCE
    moved = (belief.prompt - 1) * network.latents()[:, given.judged]
    moved[..., dim:] = 0
    return _Prior(moved, apart, shared, settings.easiness_variance * kept)


def _read(network: Network, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the signals (E, N, K - T) and likenesses (E, N, T), without dropout."""
    hidden = torch.relu(inputs @ network.hidden_weight + network.hidden_bias)
    signals = hidden @ network.signal_weight + network.signal_bias
    return signals, likeness_of(network, inputs)


def _success(meeting: Tensor, easiness: Tensor, numbers: Tensor) -> Tensor:
    return meeting @ numbers[..., :-1].mT + easiness + numbers[:, None, :, -1]


def _minimise(loss: Callable[[], Tensor], numbers: Sequence[Tensor]) -> None:
    optimizer = torch.optim.LBFGS(
        numbers,
        max_iter=_MOST_STEPS,
        history_size=20,
        tolerance_grad=1e-6,
        tolerance_change=1e-8,
        line_search_fn="strong_wolfe",
    )

    def step() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]
