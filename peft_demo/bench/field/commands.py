"""`bench vtab`, `bench fgvc` and `bench fewshot`. Nothing heavy is imported before one runs."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from ...cli.options import (
    Arch,
    Backbone,
    GpusPerRun,
    Json,
    Offline,
    Ray,
    Size,
    Tune,
    Weights,
    Workers,
    with_reading,
    with_recipe,
)
from ...cli.progress import Progress
from ...cli.services import load_backbone, open_studio
from ...cli.terminal import print_answer
from ...contracts.errors import BadValue
from ...contracts.knobs import build
from ...contracts.specs import Recipe
from ...storage import write_file
from ..cluster import cluster_of

if TYPE_CHECKING:
    from ...studio.comparison.contenders import Contender
    from ...vit import Backbone as LoadedBackbone
    from .plan import Plan
    from .sweep import FieldSweep
    from .task import Benchmark, Task

Root = Annotated[
    str, Option("--root", metavar="DIR|hf:ID", help="Where its tasks lie, one folder each.")
]
Methods = Annotated[str, Option("--methods", metavar="M,M:KNOB=VALUE", help="As for compare.")]
Tasks = Annotated[str, Option("--tasks", metavar="T,T", help="Tasks, groups of them, or all.")]
ProtocolName = Annotated[
    str,
    Option("--protocol", metavar="ours|paper", help="Equal trials for all, or authors' recipes."),
]
Trials = Annotated[
    int,
    Option("--trials", metavar="N", min=0, max=100, help="Settings tried; 0: 20, paper: all."),
]
Seeds = Annotated[
    str, Option("--seeds", metavar="N|S,S", help="Of the tested runs: how many, or which (1,2).")
]
Decoders = Annotated[
    int | None,
    Option(
        "--decoders",
        metavar="N",
        min=0,
        max=64,
        help="Processes that decode test images; one for four cores if left out, 0: threads.",
    ),
]
ResultsFile = Annotated[
    Path | None, Option("--results", metavar="FILE", help="JSON lines; what is there is not run.")
]
KeptAdapters = Annotated[
    Path | None, Option("--adapters", metavar="DIR", help="Keeps the adapters of tested runs.")
]
Picture = Annotated[
    Path | None,
    Option("--picture", metavar="FILE.svg", help="Draws mean ranks and what lies within chance."),
]
Format = Annotated[str, Option("--format", metavar="F", help="text, markdown, latex or csv.")]
BestTestEpoch = Annotated[
    bool,
    Option(
        "--best-test-epoch",
        help="Also say what choosing the epoch by test images would have added; never a result.",
    ),
]
DryRun = Annotated[bool, Option("--dry-run", help="Say what would be run, and run nothing.")]


def _command(name: str, title: str) -> Callable[..., None]:
    """The command of a benchmark."""

    @with_recipe
    def command(
        root: Root = "",
        methods: Methods = "linear,lora",
        tasks: Tasks = "all",
        protocol: ProtocolName = "ours",
        trials: Trials = 0,
        seeds: Seeds = "1",
        backbone: Backbone = "",
        weights: Weights = None,
        arch: Arch = "",
        size: Size = 0,
        decoders: Decoders = None,
        workers: Workers = 1,
        ray: Ray = "",
        gpus_per_run: GpusPerRun = 0.0,
        results: ResultsFile = None,
        adapters: KeptAdapters = None,
        picture: Picture = None,
        form: Format = "text",
        best_test_epoch: BestTestEpoch = False,
        dry_run: DryRun = False,
        offline: Offline = False,
        as_json: Json = False,
        recipe: dict[str, str] | None = None,
    ) -> None:
        from ...studio.comparison.contenders import contenders
        from ..comparison import parse_seeds
        from . import printed
        from .plan import find_plan
        from .task import find_benchmark

        benchmark = find_benchmark(name)
        chosen = benchmark.chosen(tasks)
        entered = contenders(methods)
        numbers = parse_seeds(seeds)
        plan = find_plan(protocol, benchmark, recipe or {}, trials, numbers[0])
        printed.check(form)
        if dry_run:
            _print_plan(plan, entered, chosen, as_json)
            return
        if picture and len(entered) < 2:
            raise BadValue("one method has no rank to draw.", "Take two methods or more.")
        if not root:
            raise BadValue(f"--root is missing: the folder that holds the tasks of {title}.")
        from .protocol import Protocol

        says = {"benchmark": name, "protocol": protocol}
        with _open_sweep(
            benchmark, backbone, weights, arch, size, decoders, results, adapters, says, offline
        ) as sweep:
            sweep.workers = workers
            sweep.cluster = cluster_of(ray, gpus_per_run)
            sweep.every_state = best_test_epoch
            from .root import find_root

            place = find_root(root, sweep.studio.offline, sweep.progress.report)
            other = _unofficial(benchmark, place, chosen)
            run = Protocol(sweep, benchmark, place, numbers)
            scores = run.scores(chosen, entered, plan.settings)
        from . import critical
        from .published import beside
        from .table import added_by_test, rows

        found = rows(scores, benchmark)
        ranked = critical.critical(found)
        if picture and ranked:
            write_file(picture, critical.picture(ranked).encode())
        own = {contender.method.name for contender in entered}
        others = beside(name, own)
        notes = [*_notes(benchmark, sweep, protocol, len(numbers)), *other]
        if ranked:
            notes.append(ranked.in_words())
        if best_test_epoch:
            notes += added_by_test(scores)
        value = {
            "results": str(sweep.results.file),
            "notes": notes,
            "methods": [row.to_json() for row in found],
            "published": [vars(figure) for figure in others],
        }
        drawn = printed.lines(benchmark, found, others, protocol, form)
        print_answer(value, [*drawn, "", *notes] if form == "text" else drawn, as_json)

    command.__doc__ = f"Run methods on {title}: choose on validation images, test once."
    return command


vtab = _command("vtab", "VTAB-1k")
fgvc = _command("fgvc", "FGVC")


@with_recipe
@with_reading
def fewshot(
    data: Annotated[
        list[str], Option("--data", metavar="DATA", help="As for train; again for more datasets.")
    ],
    methods: Methods = "linear,lora",
    shots: Annotated[str, Option(metavar="K,K", help="Training images per class.")] = "1,2,4,8,16",
    seeds: Annotated[str, Option(metavar="N|S,S", help="As for compare.")] = "3",
    tune: Tune = 0,
    backbone: Backbone = "",
    weights: Weights = None,
    arch: Arch = "",
    size: Size = 0,
    workers: Workers = 1,
    ray: Ray = "",
    gpus_per_run: GpusPerRun = 0.0,
    results: ResultsFile = None,
    adapters: KeptAdapters = None,
    form: Format = "text",
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
    reading: dict[str, Any] | None = None,
) -> None:
    """Run methods on sets × shots × seeds; every given test image counts."""
    from ...studio.comparison.contenders import contenders
    from ...studio.comparison.results import Results
    from .. import comparison
    from . import fewshot, printed
    from .sweep import FieldSweep

    printed.check(form)
    entered = contenders(methods)
    numbers = comparison.parse_seeds(seeds)
    counts = fewshot.parse_shots(shots)
    settings = build(Recipe, recipe)
    with open_studio(offline=offline) as studio, Progress() as progress:
        lines_file = Results(results or studio.home.root / "fewshot.jsonl")
        loaded = load_backbone(studio, backbone, weights, arch, size, progress.report)
        says = {"benchmark": "fewshot"}
        sweep = FieldSweep(studio, loaded, lines_file, progress, says, 0, adapters, workers)
        sweep.cluster = cluster_of(ray, gpus_per_run)
        names = dict.fromkeys(data)
        specs = [studio.data.read(name, counts[0], 0, **reading or {}) for name in names]
        jobs = []
        for count in counts:
            own = [replace(spec, shots=count) for spec in specs]
            jobs += comparison.jobs(entered, numbers, own, loaded, settings, tune)
        lines = sweep.do(jobs)
    rows = fewshot.summary(lines)
    tuned = f", best of {tune} trials on validation images" if tune else ""
    note = (
        f"{loaded.name} at {loaded.size} px, epochs: {settings.epochs}, seeds: {len(numbers)}"
        f"{tuned}. Test accuracies in percent on every given test image, mean ± sample deviation "
        "over the seeds."
    )
    value = {"results": str(lines_file.file), "caption": note, "methods": rows}
    drawn = printed.drawn(*fewshot.table(rows), form)
    print_answer(value, [*drawn, "", note] if form == "text" else drawn, as_json)


@contextmanager
def _open_sweep(
    benchmark: "Benchmark",
    backbone: str,
    weights: Path | None,
    arch: str,
    size: int,
    decoders: int | None,
    file: Path | None,
    adapters: Path | None,
    says: Mapping[str, Any],
    offline: bool,
) -> Iterator["FieldSweep"]:
    """A `FieldSweep` of the benchmark, its lines in `file`, else in the home."""
    with open_studio(offline=offline) as studio, Progress() as progress:
        from ...data.images import THREADS
        from ...studio.comparison.results import Results
        from .sweep import FieldSweep

        if decoders is None:
            decoders = (os.cpu_count() or 1) // THREADS  # each decodes in so many threads

        results = Results(file or studio.home.root / f"{benchmark.name}.jsonl")
        loaded = load_backbone(studio, backbone, weights, arch, size, progress.report)
        yield FieldSweep(studio, loaded, results, progress, says, decoders, adapters)


def _unofficial(benchmark: "Benchmark", root: Path, tasks: Sequence["Task"]) -> list[str]:
    """A sentence about tasks whose lists are not as long as the published ones."""
    from .images import unofficial

    texts = [unofficial(benchmark, benchmark.folder(root, task)) for task in tasks]
    other = [text for text in texts if text]
    return [f"These are not the published lists. {'; '.join(other)}."] if other else []


def _notes(benchmark: "Benchmark", sweep: "FieldSweep", protocol: str, seeds: int) -> list[str]:
    """What the figures are."""
    from .stream import most_bytes
    from .sweep import hardware

    loaded: LoadedBackbone = sweep.backbone
    side = round(loaded.size * benchmark.margin)
    megabytes = most_bytes(side, loaded.size, sweep.decoders) / 1e6
    spread = "95 % interval of the test images" if seeds == 1 else "sample deviation over the seeds"
    return [
        f"{benchmark.title}, {loaded.name} at {loaded.size} px, protocol {protocol}, "
        f"seeds: {seeds}, on {hardware(loaded.device)}. Accuracies in percent, ± {spread}; means "
        "with the interval of their test images. Last state, chosen on validation images, tested "
        "once.",
        f"Test images were read in batches: at most {megabytes:.0f} MB of them decoded at a time.",
    ]


def _print_plan(
    plan: "Plan", contenders: Sequence["Contender"], tasks: Sequence["Task"], as_json: bool
) -> None:
    said = {contender.word: plan.said(contender, tasks) for contender in contenders}
    print_answer(said, _plan_lines(said), as_json)


def _plan_lines(said: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for word, parts in said.items():
        yield word
        for heading, value in parts.items():
            for line in _as_lines(value):
                yield f"  {heading:<8}  {line}"


def _as_lines(value: Any) -> list[str]:
    """{"lr": 0.1} → ["lr 0.1"]; a mapping of mappings is a line for each."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return value or ["nothing known"]
    if any(isinstance(part, Mapping) for part in value.values()):
        return [f"{name}: {_settings(part)}" for name, part in value.items() if part]
    return [_settings(value)]


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_word(value)}" for name, value in values.items())


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
