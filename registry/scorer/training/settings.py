"""Everything that decides the outcome of a training run; kept in the artifact's card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """One training run. Rates are per step, weights and penalties per prompt."""

    seed: int = 7
    members: int = 4
    hidden: int = 160
    dim: int = 32
    token_dim: int = 8
    # A task of fewer training prompts has no likeness of its own.
    least_task_prompts: int = 15
    input_dropout: float = 0.3
    dropout: float = 0.4
    # First everything is trained, on the judged rows. Then the models' numbers stay, and what reads
    # the prompts is trained on, beside everyday prompts.
    epochs: int = 10
    everyday_epochs: int = 8
    batch: int = 256
    learning_rate: float = 2e-3
    model_rate: float = 15.0
    weight_decay: float = 2.0
    # The encoder is tuned whole, with members of their own that read its tuned view.
    tuned_members: int = 1
    tuned_epochs: int = 3
    tuned_batch: int = 32
    tuned_tokens: int = 160
    tuned_rate: float = 6e-5
    tuned_head_rate: float = 1e-3
    tuned_model_rate: float = 10.0
    tuned_weight_decay: float = 0.05
    tuned_input_dropout: float = 0.15
    tuned_everyday_weight: float = 3.0
    # What it costs to move the other views, per share of their spread.
    held_weight: float = 2.0
    # What pulls models towards their facts, and everything towards small.
    bias_penalty: float = 0.03
    latent_penalty: float = 0.01
    task_penalty: float = 0.001
    line_penalty: float = 0.001
    fact_weights: tuple[float, ...] = (0.6, 0.3, 0.5, 0.5, 0.2)
    fact_penalty: float = 0.05
    # What else is learned beside success.
    rank_weight: float = 0.2
    task_weight: float = 0.5
    token_weight: float = 0.5
    everyday_weight: float = 6.0
    # How often a training prompt is read in a reworded form.
    reworded_share: float = 0.3
    # The memory: so many places along so many axes.
    places: int = 2500
    axes: int = 96
    memory_temperature: float = 0.05
    train_folds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    tune_fold: int = 6
    report_fold: int = 7
