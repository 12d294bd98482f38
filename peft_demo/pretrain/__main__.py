"""`python -m peft_demo.pretrain`: distil a teacher into a small ViT, write weights and card."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import torch

from ..contracts.errors import Busy
from ..storage.lock import locked
from .card import card, table
from .command import parse, recipe_of
from .distil import Distillation, Progress
from .photos import load_photos
from .probe import load_set, probe
from .teacher import load_teacher
from .weights import random_twin, read_weights, write_weights

REPORT_EVERY = 15.0
"""Seconds."""
FIGURES = """Linear probe: test accuracy in percent, {shots} training photos a class chosen by \
seeds {seeds}, mean ± sample deviation; class token, standardised, scikit-learn's \
`LogisticRegression` as it comes, all models at {size} px, all test photos. Fixed in advance; \
these photos took no part in training or in any choice.

{table}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains up to `--images` (0 or less than was seen: not at all), writes weights and card."""
    options = parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        with locked(Path(options.work), patience_s=0, busy="another run works in this folder"):
            _run(options)
    except Busy as error:
        sys.exit(str(error))


def _run(options: argparse.Namespace) -> None:
    recipe = recipe_of(options)
    photos = load_photos(options.photos, options.side, options.work)
    device = torch.device(options.device)
    teacher = load_teacher(recipe.teacher, options.teacher_weights, recipe.teacher_size, device)
    run = Distillation(recipe, teacher, photos, options.work, options.compile)
    print(f"{len(photos)} photos, {run.seen} images seen, to {recipe.images}", flush=True)
    try:
        _follow(run, options.save_every)
    except KeyboardInterrupt:
        sys.exit(f"stopped; the same command resumes from {run.file}")
    backbone = run.student.backbone
    write_weights(backbone, recipe, run.seen, len(photos), options.out, options.licence)
    _write_card(options, run, len(photos))


def _follow(run: Distillation, save_every: float) -> None:
    """Runs to the end, printing a line every few seconds."""
    since = time.monotonic()
    first = run.seen
    steps = []
    for step in run.run(save_every):
        steps.append(step)
        elapsed = time.monotonic() - since
        if elapsed >= REPORT_EVERY:
            print(_line(steps, (step.seen - first) / elapsed, run.recipe.images), flush=True)
            since = time.monotonic()
            first = step.seen
            steps = []


def _line(steps: Sequence[Progress], speed: float, goal: int) -> str:
    """A line about the last steps; speed in images a second."""
    last = steps[-1]
    left = time.strftime("%H:%M:%S", time.gmtime((goal - last.seen) / speed))
    figures = (
        f"{last.seen}/{goal} images",
        f"loss {mean(step.loss for step in steps):.4f}",
        f"class {mean(step.class_error for step in steps):.4f}",
        f"patches {mean(step.patch_error for step in steps):.4f}",
        f"lr {last.rate:.2e}",
        f"{speed:.0f} images/s",
        f"{left} left",
    )
    return "  ".join(figures)


def _write_card(options: argparse.Namespace, run: Distillation, photos: int) -> None:
    """Probes student, random weights and teacher where sets are given, and writes the card."""
    figures = "No probe was run."
    if options.evaluate:
        rows = table(_figures(options, run))
        figures = FIGURES.format(shots=16, seeds="0, 1, 2", size=run.recipe.size, table=rows)
    sources = ", ".join(source.name for source in options.photos)
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    text = card(
        path=options.out,
        recipe=run.recipe,
        seen=run.seen,
        photos=f"{photos:,} photos kept at {options.side} px, from {sources}",
        command=" ".join(["python -m peft_demo.pretrain", *words]),
        figures=figures,
        notes=options.notes.read_text("utf-8") if options.notes else "",
        licence=options.licence,
    )
    options.out.with_suffix(".md").write_text(text, "utf-8")


def _figures(options: argparse.Namespace, run: Distillation) -> dict[str, dict[str, list[float]]]:
    """Set → model → test accuracy of each seed, in percent."""
    size = run.recipe.size
    cpu = torch.device("cpu")
    models = {
        "random weights": random_twin(options.out, run.recipe.seed),
        "student": read_weights(options.out),
        "teacher": load_teacher(run.recipe.teacher, options.teacher_weights, size, cpu),
    }
    figures = {}
    for source in options.evaluate:
        data = load_set(source, size)
        figures[data.name] = {name: probe(model, data) for name, model in models.items()}
        rounded = {n: [round(a, 1) for a in row] for n, row in figures[data.name].items()}
        print(data.name, rounded, flush=True)
    return figures


if __name__ == "__main__":
    main()
