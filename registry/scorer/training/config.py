"""What a training run is set to; stored in the card of what it made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """One training run. Prompts of the report fold are never learnt from nor tuned on.

    `set_power` says how far data sets count the same however many scores they hold: at 0 each
    score counts the same, at 1 each set. `memory_prompts` bounds what is kept of one data set for
    its nearest neighbours; `least_task` prompts make a task of its own. How neighbours and tasks
    count beside the network, from `temperature` on, was chosen by leaving out each of the folds
    that are learnt from and tuned on in turn; the tuning fold alone is too small to tell.
    """

    seed: int = 7
    train_folds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    tune_fold: int = 6
    report_fold: int = 7
    hidden: int = 128
    latent: int = 24
    dropout: float = 0.4
    input_dropout: float = 0.2
    epochs: int = 7
    batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    own_decay: float = 0.05
    common_decay: float = 1e-4
    task_decay: float = 1e-4
    task_weight: float = 0.1
    set_power: float = 0.8
    least_task: int = 8
    axes: int = 192
    memory_prompts: int = 2000
    temperature: float = 0.07
    local_share: float = 0.3
    local_weight: float = 0.003
    task_share: float = 0.3
    far_spread: float = 1.0
    panel: int = 12
