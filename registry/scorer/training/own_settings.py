"""Everything that decides the outcome of training on own data; kept in the version's card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """One run on own data. Variances are of what is believed before the rows, in logits.

    All were chosen on folds 0 to 6 of the shared data, on 250 to 6,000 rows of data sets that the
    base had never seen.
    """

    seed: int = 7
    # Of more prompts a random part serves.
    prompts: int = 50_000
    # A task of fewer training prompts has no likeness of its own.
    least_task_prompts: int = 5
    # Of a likeness's weights, whose inputs are of unit scale.
    likeness_variance: float = 0.04
    # What may be believed of the rows before they are seen; see `Belief`.
    task_beliefs: tuple[tuple[float, float], ...] = (
        (0.03, 0.01),
        (0.3, 0.1),
        (1.0, 0.4),
        (3.0, 1.6),
    )
    prompt_beliefs: tuple[float, ...] = (0.0, 0.5, 1.0)
    level_variance: float = 1.0
    easiness_variance: float = 0.5
    # Trained numbers were drawn towards the line, so that strangers differ more than those do; a
    # model that the base knows is known already, if by other prompts.
    stranger_factor: float = 3.0
    known_factor: float = 0.3
    # So many prompts at most settle the numbers. From as many as `least_trained`, the tuning part
    # is kept out of it, and then everything is trained on; with fewer, cross-fitting tunes.
    most_settled: int = 5_000
    least_trained: int = 1_500
    crossed_folds: int = 5
    epochs: int = 6
    batch: int = 128
    learning_rate: float = 5e-4
    model_rate: float = 5.0
    input_dropout: float = 0.3
    dropout: float = 0.4
    rank_weight: float = 0.2
    task_weight: float = 0.5
    token_weight: float = 0.2
    # Beside a mean own prompt: all everyday prompts, and staying as they were for models that
    # nobody judged.
    everyday_weight: float = 0.02
    everyday_share: float = 0.03
    steady_weight: float = 0.2
    # The memory gains a place for so many prompts, within these bounds.
    prompts_per_place: int = 20
    least_places: int = 8
    most_places: int = 384
    # Where the base has no memory of its own.
    axes: int = 96
    temperature: float = 0.05
    # A calibration found on so many tuning prompts is believed by half.
    calibration_prompts: float = 50.0


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of own rows before they are seen; the rows held back choose between some.

    `level` and `task` are how much tasks differ, for all models and for each by itself, as
    variances of logits. `prompt` is how much of what the base makes of a single prompt holds
    here too: 1 all of it, 0 nothing.
    """

    level: float
    task: float
    prompt: float
