"""`rolecall scorer eval`: the scorer beside the baselines, on judged prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.completion.names import strategy_names
from rolecall.cli.options.common import JsonOption, RegistryOption, SkipBadOption
from rolecall.registry.core.errors import InvalidDocument, UsageError

if TYPE_CHECKING:
    from rolecall.registry.evaluation.robustness_report import RobustnessPlan

FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="JUDGED", help="Judged rows: .jsonl or .csv, .gz too, or folders."),
]
TrainOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Rows for the baselines to learn on; repeatable."),
]
FoldOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, help="Choose for this fold; the baselines learn on the others."
    ),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The strategy whose quality_usd counts; by default balanced.",
        autocompletion=strategy_names,
    ),
]
QualityOption = Annotated[
    float | None,
    typer.Option(metavar="USD", min=0, help="The value of a correct answer instead."),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="ID", help="Only these models; repeatable."),
]
PricesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Prices of models, as YAML."),
]
ShareOption = Annotated[
    str | None,
    typer.Option(
        metavar="SET=N,…", help="With --mixed: the weights of data sets; 1 where none is given."
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Keep embeddings here, for the next evaluation."),
]
PlotOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw success against cost, as .svg or .png."),
]


def evaluate(
    files: FilesArgument,
    train: TrainOption = None,
    fold: FoldOption = None,
    strategy: StrategyOption = None,
    quality_usd: QualityOption = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the rows of this data set.")
    ] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Take all data sets as one workload.")
    ] = False,
    share: ShareOption = None,
    model: ModelsOption = None,
    prices: PricesOption = None,
    skip_bad: SkipBadOption = False,
    include_seen: Annotated[
        bool,
        typer.Option("--include-seen", help="Keep the prompts that the scorer learned from."),
    ] = False,
    reliability: Annotated[
        bool, typer.Option("--reliability", help="Show each model's reliability table.")
    ] = False,
    plot: PlotOption = None,
    cache: CacheOption = None,
    robust: Annotated[
        bool, typer.Option("--robust", help="Instead, count choices that change on a rewording.")
    ] = False,
    prompts: Annotated[
        int, typer.Option(metavar="N", min=1, help="With --robust: how many prompts.")
    ] = 300,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of all random draws.")] = 7,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate routing on judged prompts.

    The scorer, the nearest judged prompts, the means of each task, told or detected, one ability
    per model, list price, every single model, a random one and an oracle choose for the same
    prompts. What your own fits have seen is predicted by fits to other groups; the baselines
    learn on other folds, on --train, or on other parts of the same rows. A model need not be
    judged on every prompt.
    Costs are the rows' own, else worked out from --prices, the registry or models.dev. A line of
    prices reads MODEL: {input_usd_per_mtok: 3, output_usd_per_mtok: 15}. A data set is what rows
    call `dataset`, else their file's name up to the first dot.

    \b
    Examples:
      rolecall scorer eval judged.jsonl
      rolecall scorer eval judged.jsonl.gz --fold 7 --plot curve.svg
      rolecall scorer eval chat.jsonl code.jsonl --mixed --share chat=3
      rolecall scorer eval judged.jsonl --robust
      rolecall scorer eval new.jsonl --train old.jsonl --json | jq .sets
    """
    from rolecall.cli.input.files import read_text, shown_name
    from rolecall.cli.render.evaluation import plotter, print_evaluation
    from rolecall.cli.render.output import note, print_json
    from rolecall.cli.render.progress import counted
    from rolecall.registry.editing.open import open_or_starter
    from rolecall.registry.evaluation.evaluate import EvalRequest, kept_embeddings
    from rolecall.registry.evaluation.evaluate import evaluate as evaluate_registry
    from rolecall.registry.evaluation.plan import Selection, read_shares
    from rolecall.registry.evaluation.prices import read_prices
    from rolecall.registry.evaluation.robustness_report import RobustnessPlan

    if robust:
        _refuse(
            model=model, quality_usd=quality_usd, prices=prices, plot=plot, mixed=mixed, cache=cache
        )
        plan = RobustnessPlan(
            prompts=prompts,
            fold=fold,
            dataset=dataset,
            strategies=() if strategy is None else (strategy,),
            seed=seed,
            train=tuple(train or ()),
            skip_bad=skip_bad,
        )
        _show_robustness(registry, files, plan, as_json=as_json)
        return
    draw = None if plot is None else plotter(plot)
    given = read_prices(read_text(prices, InvalidDocument), shown_name(prices)) if prices else {}
    selection = Selection(
        fold, dataset, tuple(model or ()), mixed, read_shares(share, mixed=mixed), include_seen
    )
    request = EvalRequest(
        files=tuple(files),
        train=tuple(train or ()),
        selection=selection,
        strategy=strategy,
        quality_usd=quality_usd,
        prices=given,
        skip_bad=skip_bad,
        seed=seed,
        embeddings=None if cache is None else kept_embeddings(cache),
    )
    with open_or_starter(registry) as db, counted("reading prompts") as report:
        found = evaluate_registry(db, request, report, note)
    evaluation = found.to_dict()
    if found.bad_lines is not None:
        note(f"left out: {found.bad_lines}")
    if as_json:
        print_json(evaluation)
    else:
        print_evaluation(evaluation, with_reliability=reliability)
    if draw is not None and plot is not None:
        draw(plot, evaluation["sets"])


def _refuse(**given: object) -> None:
    """Raise UsageError for an option that says nothing of robustness."""
    for name, value in given.items():
        if value:
            option = "--" + name.replace("_", "-")
            raise UsageError(f"--robust takes no {option}", hint=f"leave out {option}")


def _show_robustness(
    registry: Path | None, files: Sequence[Path], plan: RobustnessPlan, *, as_json: bool
) -> None:
    from dataclasses import asdict

    from rolecall.cli.render.output import note, print_json
    from rolecall.cli.render.progress import counted
    from rolecall.cli.render.robustness import print_robustness
    from rolecall.registry.editing.open import open_or_starter
    from rolecall.registry.evaluation.robustness import measure_files

    with open_or_starter(registry) as db, counted("deciding") as report:
        found = measure_files(db, files, plan, report)
    if found.left_out is not None:
        note(f"left out: {found.left_out}")
    (print_json if as_json else print_robustness)(asdict(found))
