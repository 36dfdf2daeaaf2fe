"""`rolecall scorer fit`: a model joins by its judged rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rolecall.cli.completing import model_names
from rolecall.cli.options import JsonOption, RegistryOption
from rolecall.cli.output import Column, note, print_json, print_table, print_text
from rolecall.registry.errors import UsageError

if TYPE_CHECKING:
    from rolecall.registry.fitting import Answers, Fitted, NotJudged

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
        help="Judged rows: .jsonl, .jsonl.gz, folders of them, or - for stdin.",
    ),
]
CalledOption = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="What the rows call it, where that is another name."),
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
    forget: Annotated[bool, typer.Option("--forget", help="Forget the model's fit.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what a fit is worth; keep nothing.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out lines that are no judged row.")
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit one model to its judged rows, without training.

    From then on its success and length are foretold by these rows, not by its size and price:
    the more rows, the more surely. A later fit replaces it, so name every file of rows each time.
    With --suggest the first file is a pool of prompts, and those most worth judging are printed
    as JSON lines, the best first, given the judged rows that follow or else the fit so far.

    \b
    Examples:
      rolecall scorer fit qwen3-8b judged.jsonl
      rolecall scorer fit qwen3-8b --suggest 50 prompts.jsonl > to-judge.jsonl
      rolecall scorer fit qwen3-8b --forget
    """
    paths = tuple(files or ())
    if forget:
        if paths or suggest is not None:
            raise UsageError("--forget takes a model and no rows", hint=_HINT)
        _forget(model, registry)
        return
    if not paths:
        raise UsageError("no judged rows were named", hint=_HINT)
    from rolecall.registry.fitting import Answers

    if suggest is not None:
        answers = Answers(paths[1:], called, skip_bad=skip_bad)
        _suggest(model, paths[0], answers, suggest, registry)
        return
    answers = Answers(paths, called, skip_bad=skip_bad)
    _fit(model, answers, registry, dry_run=dry_run, as_json=as_json)


def _forget(model: str, registry: Path | None) -> None:
    from rolecall.registry.fitting import forget_fitted

    forget_fitted(registry, model)
    note(f"forgot what was fitted for {model}")


def _suggest(model: str, pool: Path, answers: Answers, count: int, registry: Path | None) -> None:
    from rolecall.cli.counting import counted
    from rolecall.registry.fitting import suggest_prompts

    with counted("reading") as report:
        found = suggest_prompts(registry, model, pool, answers, report, count=count)
    if found.left_out is not None:
        note(found.left_out)
    for one in found.prompts:
        print_json({"id": one.id, "prompt": one.prompt}, indent=None)
    if len(found.prompts) < count:
        note(f"the pool has no more than {len(found.prompts)} prompts to judge")


def _fit(
    model: str, answers: Answers, registry: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    from rolecall.cli.counting import counted
    from rolecall.registry.fitting import NotJudged, fit_judged

    with counted("reading") as report:
        done = fit_judged(registry, model, answers, report, dry_run=dry_run)
    if done.left_out is not None:
        note(done.left_out)
    if as_json:
        print_json({"model": model, **_plain(done)})
    elif isinstance(done, NotJudged):
        print_text(f"{model}: no row judges it; it is still read by {_KNOWN_BY[done.known_by]}")
        note(f"judged there: {', '.join(done.others)}")
    else:
        print_text(f"{model}: {_counts(done)}\n\n")
        print_table(*_table(done))
        print_text(f"\n{_verdict(done)}")
        note(f"read the prompts in {done.read_s:.1f} s, fitted in {done.fit_s:.2f} s")


_KNOWN_BY = {"facts": "its size, price and date", "latent": "what the scorer was trained on"}


def _counts(done: Fitted) -> str:
    rows, lengths = done.fitted.rows, done.figures.length_rows
    tasks = ", ".join(f"{task} {count:,}" for task, count in done.fitted.tasks[:_MOST_TASKS])
    tasks += ", …" if len(done.fitted.tasks) > _MOST_TASKS else ""
    with_length = "all" if lengths == rows else f"{lengths:,}" if lengths else "none"
    return f"{rows:,} row{'' if rows == 1 else 's'} ({tasks}), {with_length} with a length"


def _table(done: Fitted) -> tuple[list[Column], list[list[str]]]:
    figures = done.figures
    rows: list[tuple[str, float, float | None, float | None]] = [
        ("judged", figures.success, None, None),
        (
            f"by {_SHORTLY[done.known_by]}",
            figures.before_success,
            figures.before_std,
            figures.before_brier,
        ),
        ("fitted", figures.after_success, figures.after_std, figures.after_brier),
        ("its mean alone", figures.success, None, figures.mean_brier),
    ]
    columns = [Column("")] + [Column(title, is_number=True) for title in ("success", "±", "brier")]
    return columns, [[name, *map(_shown, numbers)] for name, *numbers in rows]


_SHORTLY = {"facts": "facts", "latent": "training"}


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _verdict(done: Fitted) -> str:
    figures = done.figures
    kept = "kept" if done.is_stored else "not kept (--dry-run)"
    if figures.after_brier is None or figures.mean_brier is None:
        return f"{kept}; too few rows to tell what they are worth"
    if figures.mean_brier <= figures.after_brier:
        return f"{kept}; of rows held back its mean alone tells as much: judge more of them"
    if figures.before_brier <= figures.after_brier:
        return f"{kept}; rows held back are foretold no better than before: judge more of them"
    gain = 1 - figures.after_brier / figures.before_brier
    return f"{kept}; rows held back are foretold better than before: brier down by {gain:.0%}"


def _plain(done: Fitted | NotJudged) -> dict[str, Any]:
    from rolecall.registry.fitting import NotJudged

    names = ("success", "std", "brier")
    if isinstance(done, NotJudged):
        nothing = dict.fromkeys(names)
        return {
            "rows": 0,
            "tasks": {},
            "known_by": done.known_by,
            "stored": False,
            "scorer_version": None,
            "length_rows": 0,
            "success": None,
            "before": nothing,
            "after": nothing,
            "mean": {"brier": None},
            "read_s": 0.0,
            "fit_s": 0.0,
        }
    fitted, figures = done.fitted, done.figures
    return {
        "rows": fitted.rows,
        "tasks": dict(fitted.tasks),
        "known_by": done.known_by,
        "stored": done.is_stored,
        "scorer_version": fitted.scorer_version,
        "length_rows": figures.length_rows,
        "success": figures.success,
        "before": {name: getattr(figures, f"before_{name}") for name in names},
        "after": {name: getattr(figures, f"after_{name}") for name in names},
        "mean": {"brier": figures.mean_brier},
        "read_s": done.read_s,
        "fit_s": done.fit_s,
    }
