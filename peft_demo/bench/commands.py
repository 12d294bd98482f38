"""The commands of this room. Nothing heavy is imported before one runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from ..cli.options import (
    Arch,
    Backbone,
    Data,
    GpusPerRun,
    Json,
    Offline,
    Ray,
    Seed,
    Shots,
    Size,
    Tune,
    Weights,
    Workers,
    with_reading,
    with_recipe,
)
from ..cli.progress import Progress
from ..cli.services import add_weights, load_backbone, open_studio
from ..cli.terminal import print_answer, table
from ..contracts.knobs import build
from ..contracts.specs import TRIALS, Recipe
from . import trust
from .cluster import cluster_of
from .field import commands as field

if TYPE_CHECKING:
    from ..vit.source import Source
    from .sweep import Sweep
    from .timing import Row

bench = typer.Typer(help="Where the printed figures come from.", no_args_is_help=True)

METHODS_HELP = (
    "all, or names, a form with its knobs: lora,aoft_lora:scale=true,lora:rank=4:targets=q+k."
)
Methods = Annotated[str, Option("--methods", metavar="M,M:KNOB=VALUE", help=METHODS_HELP)]
ResultsFile = Annotated[
    Path | None,
    Option(
        "--results", metavar="FILE", help="JSON lines, one a run; what is there is not run again."
    ),
]
Seeds = Annotated[
    str, Option("--seeds", metavar="N|S,S", help="How many (3: seeds 0 to 2), or which (1,2).")
]
Markdown = Annotated[bool, Option("--markdown", help="Print the table as Markdown.")]
Turns = Annotated[
    int, Option(metavar="N", min=1, max=10_000, help="How often each is timed, in turns.")
]
LARGE_BACKBONE = "vit_base_patch16_224"
"""What answers are timed on: its weights are random, so nothing is downloaded."""


@with_recipe
@with_reading
def compare(
    data: Annotated[
        list[str], Option("--data", metavar="DATA", help="As for train; again for more datasets.")
    ],
    methods: Methods = "all",
    seeds: Seeds = "3",
    backbone: Backbone = "",
    weights: Weights = None,
    arch: Arch = "",
    size: Size = 0,
    shots: Shots = 16,
    tune: Tune = 0,
    test_images: Annotated[
        int, Option(metavar="N", min=0, help="Test on N images at most; 0 takes those there are.")
    ] = 0,
    workers: Workers = 1,
    ray: Ray = "",
    gpus_per_run: GpusPerRun = 0.0,
    results: ResultsFile = None,
    markdown: Markdown = False,
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
    reading: dict[str, Any] | None = None,
) -> None:
    """Run methods × seeds and print one table. Stopped, the same command goes on where it was."""
    from ..studio.comparison import rows
    from ..studio.comparison.contenders import contenders
    from . import comparison

    compared = contenders(methods)
    chosen_seeds = comparison.parse_seeds(seeds)
    settings = build(Recipe, recipe)
    name = "comparisons.jsonl"
    with _open_sweep(backbone, weights, arch, size, results, name, offline) as sweep:
        sweep.most_test = test_images
        sweep.workers = workers
        sweep.cluster = cluster_of(ray, gpus_per_run)
        read = sweep.studio.data.read
        names = dict.fromkeys(data)
        specs = [read(name, shots, 0, **reading or {}) for name in names]
        jobs = comparison.jobs(compared, chosen_seeds, specs, sweep.backbone, settings, tune)
        lines = sweep.do(jobs)
    compared_rows = rows.summary(lines)
    caption = comparison.caption(chosen_seeds, specs, sweep.backbone, settings, tune)
    cells = comparison.printed(compared_rows, sweep.backbone.device.type)
    drawn = comparison.drawn(cells, comparison.head(specs), markdown)
    legend = rows.legend(lines, len(chosen_seeds))
    value = {
        "results": str(sweep.results.file),
        "caption": caption,
        "legend": legend,
        "methods": compared_rows,
        "runs": lines,
    }
    below = [caption, "", legend] if legend else [caption]
    print_answer(value, [*drawn, "", *below], as_json)


@bench.command("tune")
@with_recipe
@with_reading
def tune(
    data: Annotated[
        list[str] | None,
        Option(
            "--data",
            metavar="DATA",
            help="As for train; again for more datasets; left out, only the table.",
        ),
    ] = None,
    methods: Methods = "all",
    trials: Annotated[
        int, Option(metavar="N", min=1, max=TRIALS[-1], help="Settings to try of every method.")
    ] = 6,
    seeds: Seeds = "1",
    backbone: Backbone = "",
    weights: Weights = None,
    arch: Arch = "",
    size: Size = 0,
    shots: Shots = 16,
    workers: Workers = 1,
    ray: Ray = "",
    gpus_per_run: GpusPerRun = 0.0,
    results: ResultsFile = None,
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
    reading: dict[str, Any] | None = None,
) -> None:
    """Try settings on validation images, equally many of every method.

    The table is about all sets so far that were tried with this recipe: what loses least on
    average over them to the best that was tried on each.
    """
    from ..studio.comparison.contenders import contenders
    from ..studio.comparison.results import Results
    from . import comparison, tuning

    tuned = contenders(methods)
    settings = build(Recipe, recipe)
    file = results or tuning.HOME
    if data:
        with _open_sweep(backbone, weights, arch, size, file, "", offline, test=False) as sweep:
            sweep.workers = workers
            sweep.cluster = cluster_of(ray, gpus_per_run)
            read = sweep.studio.data.read
            named = [read(name, shots, 0, **reading or {}) for name in dict.fromkeys(data)]
            specs = comparison.splits(named, comparison.parse_seeds(seeds))
            sweep.do(tuning.jobs(tuned, specs, sweep.backbone, settings, trials))
    words = {contender.word for contender in tuned}
    lines = Results(file).lines().values()
    chosen = [line for line in lines if line.get("method") in words]
    rows = tuning.summary(tuning.of_recipe(chosen, settings))
    print_answer(rows, table([tuning.HEAD, *tuning.printed(rows)]), as_json)


@bench.command("methods")
def steps(
    methods: Methods = "all",
    backbone: Backbone = "",
    size: Size = 0,
    batch: Annotated[int, Option(metavar="B", min=1, max=1024, help="Images a step.")] = 32,
    pairs: Annotated[
        int, Option(metavar="N", min=1, max=10_000, help="Steps timed, each beside one of LoRA.")
    ] = 10,
    precision: Annotated[
        str, Option(metavar="auto|fp32|bf16", help="As for train; peft's LoRA stays in fp32.")
    ] = "auto",
    memory: Annotated[
        str, Option(metavar="normal|low", help="As for train; the LoRA beside stays as it is.")
    ] = "normal",
    graph: Annotated[
        str, Option(metavar="off|on", help="As for train; the LoRA beside is not recorded.")
    ] = "off",
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Time and memory of a training step of each method, beside a plain LoRA. Random weights.

    Where peft is installed, its LoRA is the last row, in fp32 as it trains unless asked otherwise.
    """
    from ..studio.comparison.contenders import contenders
    from . import comparison, steps

    measured = contenders(methods)
    recipe = build(Recipe, {"precision": precision, "memory": memory, "graph": graph})
    with open_studio(offline=True) as studio, Progress() as progress:
        from ..vit import find

        source = find(backbone, studio.home.root)
        rows = steps.measure(measured, source, size, batch, pairs, progress.report, recipe)
    drawn = comparison.drawn(steps.printed(rows), steps.HEAD, markdown)
    print_answer(rows, drawn, as_json)


@bench.command("switch")
def switch(
    backbone: Backbone = LARGE_BACKBONE,
    size: Size = 0,
    turns: Turns = 20,
    resident: Annotated[
        int, Option(metavar="N", min=1, max=1000, help="Adapters in memory, at most.")
    ] = 16,
    as_json: Json = False,
) -> None:
    """Time of choosing a resident adapter and of loading one, beside peft. Random weights."""
    with _find_source(backbone) as source:
        from . import switching

        rows = switching.switch(source, size, turns, resident)
    _print_times(rows, as_json)


@bench.command("predict")
def predict(
    backbone: Backbone = LARGE_BACKBONE,
    size: Size = 0,
    batch: Annotated[
        int, Option(metavar="B", min=1, max=1024, help="Images answered together.")
    ] = 16,
    turns: Turns = 10,
    as_json: Json = False,
) -> None:
    """Time of answers attached, merged and mixed, against the frozen model and peft."""
    with _find_source(backbone) as source:
        from . import answering

        rows = answering.predict(source, size, batch, turns)
    _print_times(rows, as_json)


@bench.command("start")
def start(
    turns: Annotated[
        int, Option(metavar="N", min=1, max=100, help="How often each starts, in turns.")
    ] = 5,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Time until commands and the page answer, beside importing torch, timm and Gradio."""
    from . import comparison, starting

    with Progress() as progress:
        rows = starting.measure(turns, progress.report)
    print_answer(rows, comparison.drawn(starting.printed(rows), starting.HEAD, markdown), as_json)


@bench.command("run")
def run(
    data: Data,
    shots: Shots = 16,
    seed: Seed = 0,
    backbone: Backbone = "",
    weights: Weights = None,
    arch: Arch = "",
    epochs: Annotated[
        int, Option(metavar="N", min=1, max=1000, help="Of both; as for train.")
    ] = Recipe.epochs,
    precision: Annotated[
        str, Option(metavar="auto|fp32|bf16", help="Of train; the script stays in fp32.")
    ] = Recipe.precision,
    turns: Turns = 3,
    markdown: Markdown = False,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Time of whole runs: `train --method lora` beside a script with timm and peft."""
    from . import comparison, running

    recipe = build(Recipe, {"epochs": epochs, "precision": precision})
    with open_studio(offline=offline) as studio, Progress() as progress:
        if weights:
            backbone = add_weights(studio, weights, arch or backbone)
        spec = studio.data.read(data, shots, seed)
        dataset = studio.data.open(spec, progress.report)
        answer = running.measure(
            dataset, spec, backbone, studio.home, recipe, turns, progress.report
        )
    drawn = comparison.drawn(running.printed(answer["runs"]), running.HEAD, markdown)
    print_answer(answer, [*drawn, "", running.summary(answer)], as_json)


@contextmanager
def _find_source(backbone: str) -> Iterator["Source"]:
    """Where the backbone comes from; what libraries print meanwhile goes to standard error."""
    with open_studio(offline=True) as studio:
        from ..vit import find

        yield find(backbone, studio.home.root)


def _print_times(rows: list["Row"], as_json: bool) -> None:
    from . import timing

    print_answer(rows, table([timing.HEAD, *timing.printed(rows)]), as_json)


@contextmanager
def _open_sweep(
    backbone: str,
    weights: Path | None,
    arch: str,
    size: int,
    file: Path | None,
    name: str,
    offline: bool,
    test: bool = True,
) -> Iterator["Sweep"]:
    """A `Sweep` on the backbone, its lines in `file`, else in the home under `name`."""
    with open_studio(offline=offline) as studio, Progress() as progress:
        from ..studio.comparison.results import Results
        from .sweep import Sweep

        results = Results(file or studio.home.root / name)
        loaded = load_backbone(studio, backbone, weights, arch, size, progress.report)
        yield Sweep(studio, loaded, results, progress, test)


bench.command("vtab")(field.vtab)
bench.command("fgvc")(field.fgvc)
bench.command("fewshot")(field.fewshot)
bench.command("doubt")(trust.doubt)
bench.command("why")(trust.why)
