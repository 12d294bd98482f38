"""The commands of this room, for `python -m peft_demo`. Nothing heavy is imported before one runs."""

from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from ..cli.options import (
    Backbone,
    Column,
    Json,
    Offline,
    Seed,
    Shots,
    Size,
    Weights,
    with_recipe,
)
from ..cli.progress import Progress
from ..cli.services import open_studio
from ..cli.terminal import print_answer, table
from ..contracts.knobs import build
from ..contracts.specs import Recipe

bench = typer.Typer(help="Where the printed figures come from.", no_args_is_help=True)

WORDS = "all, or names, a form with its knobs: lora,aoft_lora:scale=true,lora:rank=4:targets=q+k."
Methods = Annotated[str, Option("--methods", metavar="M,M:KNOB=VALUE", help=WORDS)]
ResultsFile = Annotated[
    Path | None,
    Option(
        "--results", metavar="FILE", help="JSON lines, one a run; what is there is not run again."
    ),
]
Turns = Annotated[
    int, Option(metavar="N", min=1, max=10_000, help="How often each is timed, in turns.")
]


@with_recipe
def compare(
    data: Annotated[
        list[str], Option("--data", metavar="DATA", help="As for train; again for more datasets.")
    ],
    methods: Methods = "all",
    seeds: Annotated[int, Option(metavar="N", min=1, max=1000, help="Seeds 0 to N-1.")] = 3,
    backbone: Backbone = "",
    weights: Weights = None,
    size: Size = 0,
    shots: Shots = 16,
    image_column: Column = "",
    label_column: Column = "",
    results: ResultsFile = None,
    markdown: Annotated[bool, Option("--markdown", help="Print the table as Markdown.")] = False,
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
) -> None:
    """Run methods × seeds and print one table. Stopped, the same command goes on where it was."""
    from . import comparison, contenders

    who = contenders.contenders(methods)
    how = build(Recipe, recipe)
    with _series(backbone, weights, size, results, "comparisons.jsonl", offline) as series:
        specs = [
            series.studio.data.read(d, shots, 0, image_column, label_column)
            for d in dict.fromkeys(data)
        ]
        lines = series.do(comparison.jobs(who, seeds, specs, series.backbone, how))
    rows = comparison.summary(lines)
    caption = comparison.caption(seeds, specs, series.backbone, how)
    cells = comparison.printed(rows, series.backbone.device.type)
    head = comparison.head(specs)
    text = comparison.drawn(cells, head, markdown)
    value = {
        "results": str(series.results.file),
        "caption": caption,
        "methods": rows,
        "runs": lines,
    }
    print_answer(value, [*text, "", caption], as_json)


@bench.command()
@with_recipe
def tune(
    data: Annotated[
        str, Option("--data", metavar="DATA", help="As for train; left out, only the table.")
    ] = "",
    methods: Methods = "all",
    backbone: Backbone = "",
    weights: Weights = None,
    size: Size = 0,
    shots: Shots = 16,
    seed: Seed = 0,
    image_column: Column = "",
    label_column: Column = "",
    results: ResultsFile = None,
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
) -> None:
    """Try learning rates on validation images of one dataset; the table is about all sets in the results file."""
    from . import contenders, tuning
    from .results import Results

    who = contenders.contenders(methods)
    how = build(Recipe, recipe)
    file = results or tuning.HOME
    if data:
        with _series(backbone, weights, size, file, "", offline, test=False) as series:
            spec = series.studio.data.read(data, shots, seed, image_column, label_column)
            series.do([job for e in who for job in tuning.jobs(e, spec, series.backbone, how)])
    named = {e.word for e in who}
    rows = [row for row in tuning.summary(Results(file).lines().values()) if row["method"] in named]
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
    markdown: Annotated[bool, Option("--markdown", help="Print the table as Markdown.")] = False,
    as_json: Json = False,
) -> None:
    """Time and memory of a training step of each method, against a plain LoRA written by hand. Random weights."""
    from . import comparison, contenders, steps

    who = contenders.contenders(methods)
    with open_studio(offline=True) as studio, Progress() as progress:
        from ..vit import find

        rows = steps.measure(who, find(backbone, studio.home.root), size, batch, pairs, progress)
    cells = steps.printed(rows)
    print_answer(rows, comparison.drawn(cells, steps.HEAD, markdown), as_json)


@bench.command()
def switch(
    backbone: Backbone = "vit_base_patch16_224",
    size: Size = 0,
    turns: Turns = 20,
    as_json: Json = False,
) -> None:
    """Time of choosing a resident adapter and of loading one, beside peft if it is installed. Random weights."""
    _answering(lambda answering, source: answering.switch(source, size, turns), backbone, as_json)


@bench.command()
def predict(
    backbone: Backbone = "vit_base_patch16_224",
    size: Size = 0,
    batch: Annotated[
        int, Option(metavar="B", min=1, max=1024, help="Images answered together.")
    ] = 16,
    turns: Turns = 10,
    as_json: Json = False,
) -> None:
    """Time of answers attached, merged and mixed against the frozen model, beside peft. Random weights."""
    _answering(
        lambda answering, source: answering.predict(source, size, batch, turns), backbone, as_json
    )


def _answering(measure, backbone: str, as_json: bool) -> None:
    with open_studio(offline=True) as studio:
        from ..vit import find
        from . import answering

        rows = measure(answering, find(backbone, studio.home.root))
    print_answer(rows, table([answering.HEAD, *answering.printed(rows)]), as_json)


@contextmanager
def _series(
    backbone: str,
    weights: Path | None,
    size: int,
    file: Path | None,
    name: str,
    offline: bool,
    test=True,
):
    """A `Series` on the backbone, its lines in `file`, else in the home under `name`."""
    with open_studio(offline=offline) as studio, Progress() as progress:
        from ..vit import load
        from .results import Results
        from .sweep import Sweep

        results = Results(file or studio.home.root / name)
        backbone = studio.zoo.add_backbone(weights, arch=backbone).name if weights else backbone
        loaded = load(
            backbone, size, home=studio.home.root, offline=studio.offline, report=progress.report
        )
        yield Sweep(studio, loaded, results, progress, test)
