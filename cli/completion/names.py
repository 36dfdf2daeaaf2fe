"""The names that the shell is offered, read from the registry or from the package."""

from __future__ import annotations

from pathlib import Path

import typer


def endpoint_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the endpoints whose id starts with what is typed."""
    return _names(ctx, "endpoints", incomplete)


def model_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models whose id starts with what is typed."""
    return _names(ctx, "models", incomplete)


def model_and_endpoint_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models and the endpoints whose id starts with what is typed."""
    return model_names(ctx, incomplete) + endpoint_names(ctx, incomplete)


def effort_levels(incomplete: str) -> list[str]:
    """Return the reasoning efforts that start with what is typed."""
    from rolecall.registry.core.effort import LEVELS

    return [level for level in LEVELS if level.startswith(incomplete)]


def role_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the roles whose id starts with what is typed."""
    return _names(ctx, "roles", incomplete)


def strategy_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the strategies whose id starts with what is typed."""
    return _names(ctx, "strategies", incomplete)


def task_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the tasks whose id starts with what is typed."""
    return _names(ctx, "tasks", incomplete)


def scorer_names(_ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names that `scorer use` takes and that start with what is typed."""
    return [name for name in ("own", "pretrained") if name.startswith(incomplete)]


def _names(ctx: typer.Context, collection: str, incomplete: str) -> list[str]:
    from rolecall.registry.editing.open import known_names

    given = ctx.params.get("registry")
    names = known_names(Path(given) if given else None, collection)
    return [name for name in names if name.startswith(incomplete)]
