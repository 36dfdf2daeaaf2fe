"""`rolecall scorer fit`: fit one model to its judged rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.completion.names import model_names
from rolecall.cli.options.common import JsonOption, RegistryOption, SkipBadOption
from rolecall.cli.render.output import Column, note, print_json, print_table, print_text
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.formatting import seconds

if TYPE_CHECKING:
    from rolecall.registry.learning.fit import FitRequest, FitResult

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="The model, by its id or the last part of it.",
        autocompletion=model_names,
    ),
]
FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="JUDGED",
        help="Judged rows: .jsonl or .csv, .gz too, folders, or - for stdin.",
    ),
]
CalledOption = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="The model's name in the rows, if it is another."),
]
SuggestOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Instead print the N prompts of the first file to judge next."
    ),
]
_MOST_TASKS = 8
_HINT = "rolecall scorer fit MODEL JUDGED.jsonl"


def fit(
    model: ModelArgument,
    files: FilesArgument = None,
    called: CalledOption = None,
    suggest: SuggestOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the model's earlier rows; do not add.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the model's rows and fit.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the rows are worth; keep nothing.")
    ] = False,
    skip_bad: SkipBadOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit one model to its judged rows, without training.

    From then on its success and length are predicted by these rows and what was known before:
    the more rows, the more surely. The rows are kept in the registry; later ones add to them. What
    all rows have in common against predictions moves every model on prompts like these.
    With --suggest the first file is a pool of prompts, and those most worth judging are printed
    as JSON lines, the best first, given the rows kept so far and those that follow.

    \b
    Examples:
      rolecall scorer fit qwen3-8b judged.jsonl
      rolecall scorer fit qwen3-8b --suggest 50 prompts.jsonl > to-judge.jsonl
      rolecall scorer fit qwen3-8b --forget
    """
    paths = tuple(files or ())
    if forget:
        if paths or called or suggest or replace or dry_run or skip_bad:
            raise UsageError(
                "--forget takes a model and nothing else",
                hint=f"rolecall scorer fit {model} --forget",
            )
        _forget(model, registry, as_json=as_json)
        return
    if not paths:
        raise UsageError("no judged rows were named", hint=_HINT)
    from rolecall.cli.render.progress import counted
    from rolecall.registry.editing.open import open_registry
    from rolecall.registry.learning.fit import FitRequest, fit_judged

    if suggest is not None:
        _suggest(
            model, paths[0], FitRequest(paths[1:], called, skip_bad=skip_bad), suggest, registry
        )
        return
    request = FitRequest(paths, called, skip_bad, replace=replace, dry_run=dry_run)
    with open_registry(registry) as db, counted("reading") as report:
        done = fit_judged(db, model, request, report)
    if done.left_out is not None:
        note(done.left_out)
    if as_json:
        print_json(done.to_dict())
    elif not done.rows:
        print_text(f"{model}: no row judges it; it is still read by {_KNOWN_BY[done.known_by]}")
        note(f"judged there: {', '.join(done.others)}")
    else:
        _show(model, done)


def _forget(model: str, registry: Path | None, *, as_json: bool) -> None:
    from rolecall.registry.editing.open import open_registry
    from rolecall.registry.learning.fit import forget_model

    with open_registry(registry) as db:
        forget_model(db, model)
    if as_json:
        print_json({"forgot": model})
    else:
        note(f"forgot the judged rows of {model}")


def _suggest(
    model: str, pool: Path, answers: FitRequest, count: int, registry: Path | None
) -> None:
    from rolecall.cli.render.progress import counted
    from rolecall.registry.editing.open import open_registry
    from rolecall.registry.learning.fit import suggest_prompts

    with open_registry(registry) as db, counted("reading") as report:
        found = suggest_prompts(db, model, pool, answers, report, count=count)
    if found.left_out is not None:
        note(found.left_out)
    for one in found.prompts:
        print_json({"id": one.id, "prompt": one.prompt}, indent=None)
    if len(found.prompts) < count:
        note(f"the pool has no more than {len(found.prompts)} prompts to judge")


_KNOWN_BY = {
    "facts": "its size, price and date",
    "scores": "public benchmark scores",
    "latent": "what the scorer was trained on",
    "fitted": "its earlier rows",
}
_SHORTLY = {"facts": "facts", "scores": "scores", "latent": "training", "fitted": "earlier rows"}


def _show(model: str, done: FitResult) -> None:
    print_text(f"{model}: {_counts(done)}\n\n")
    if done.comparison is not None:
        print_table(*_table(done))
        print_text("")
    print_text(_verdict(done))
    note(f"read the prompts in {seconds(done.read_s)}, fitted in {seconds(done.fit_s)}")
    if not done.in_use:
        note("fits are switched off: rolecall scorer use own")


def _counts(done: FitResult) -> str:
    rows, lengths = done.rows, done.length_rows
    shown = list(done.tasks.items())[:_MOST_TASKS]
    tasks = ", ".join(f"{task} {count:,}" for task, count in shown)
    tasks += ", …" if len(done.tasks) > _MOST_TASKS else ""
    with_length = "all" if lengths == rows else f"{lengths:,}" if lengths else "none"
    added = f", {done.given:,} given and {done.before:,} kept before" if done.before else ""
    noun = "row" if rows == 1 else "rows"
    return f"{rows:,} {noun}{added} ({tasks}), {with_length} with a length"


def _table(done: FitResult) -> tuple[list[Column], list[list[str]]]:
    compared = done.comparison
    assert compared is not None
    methods = {
        f"by {_SHORTLY[done.known_by]}": compared.in_use,
        "fitted": compared.fitted,
        "its mean alone": compared.model_means,
    }
    columns = [Column("")] + [Column(title, is_number=True) for title in ("success", "±", "brier")]
    rows = [["judged", _shown(compared.success), "–", "–"]]
    rows += [
        [name, _shown(one.success), _shown(one.success_std), _shown(one.brier)]
        for name, one in methods.items()
    ]
    return columns, rows


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _verdict(done: FitResult) -> str:
    compared = done.comparison
    kept = "kept" if done.stored else "not kept (--dry-run)"
    if compared is None:
        return f"{kept}; too few rows that it has not learned from to tell what they are worth"
    after, before = compared.fitted.brier, compared.in_use.brier
    told = f"{compared.scores:,} rows held back"
    if compared.model_means.brier <= after:
        return f"{kept}; of {told} its mean alone tells as much: judge more of them"
    if before <= after:
        return f"{kept}; {told} are predicted no better than before: judge more of them"
    gain = 1 - after / before
    return f"{kept}; {told} are predicted better than before: brier down by {gain:.0%}"
