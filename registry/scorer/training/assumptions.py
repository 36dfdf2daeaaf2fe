"""What the artifact's card says is assumed and not measured."""

from __future__ import annotations

from rolecall.registry.scorer.strength import FactsPrior


def assumptions(
    prior: FactsPrior,
    everyday_prompts: int,
    fact_weights: tuple[float, ...],
    reasoning: tuple[float, float],
) -> list[str]:
    """Return a sentence or two on each; `reasoning` is hidden tokens, and those per difficulty."""
    return [
        f"Everyday requests are not in the data. {everyday_prompts} prompts of our own, "
        "each kind with the success that we believe strong and weak models to have, were "
        "trained on at low weight. They are beliefs, not measurements, and no figure here "
        "includes them.",
        "The data's models are of 2023 to early 2025. A model that is not among them is read by "
        "size, list price, release date, reasoning and openness; more of any of these (closed "
        "counting as more) never lowers its success. Unknown facts are imputed with more spread.",
        f"A release date counts up to {prior.last_years - prior.newest_years:.1f} years past the "
        f"newest training model, and each year past it adds {prior.drift} logits of spread.",
        "Sizes, dates and prices of the training models are as publicly known at their time; "
        "`facts.yaml` lists them.",
        "How much size, price, date, reasoning and closedness matter is pulled towards what we "
        f"believe, {list(fact_weights)} logits: the data alone would rate recency "
        "higher and size lower, and held-out families cannot tell the two apart.",
        "Base and narrow models read low in exams; a model known by facts is taken as neither.",
        "Hidden reasoning is not in the data: a reasoning model's output_tokens add "
        f"{reasoning[0]:.0f} + {reasoning[1]:.0f} · difficulty.",
        "Lengths were counted as characters / 4, for short exam answers of that time.",
        "An unparsed exam answer counted as wrong.",
        "Prompts are read by their first 160 and last 96 tokens, without courtesies.",
    ]
