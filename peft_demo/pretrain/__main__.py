"""`python -m peft_demo.pretrain`: distil a teacher into a small ViT, resumable; write weights, card and probes."""

import argparse
import sys
import time
from dataclasses import MISSING, fields
from pathlib import Path

import torch

from .card import card, random_twin, read_weights, table, write_weights
from .distil import Distillation, Progress, Recipe
from .photos import load_photos
from .probe import load_set, probe
from .teacher import load_teacher

REPORT_EVERY = 15.0  # seconds
FIGURES = """Linear probe: test accuracy in percent, {shots} training photos a class chosen by seeds {seeds}, mean ± \
sample deviation; class token, standardised, scikit-learn's `LogisticRegression` as it comes, all models at {size} px, \
all test photos. Fixed in advance; these photos took no part in training or in any choice.

{table}"""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; a recipe's fields become flags with the recipe's own defaults."""
    parser = argparse.ArgumentParser("python -m peft_demo.pretrain", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, nargs="+", required=True, help="folders or zips of unlabelled photos"
    )
    parser.add_argument(
        "--work",
        type=Path,
        required=True,
        help="checkpoint and cached targets; resumed when it has one",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="weights file to write; its card stands beside it"
    )
    parser.add_argument(
        "--teacher-weights",
        type=Path,
        help="local safetensors under timm's names; default: timm's hub",
    )
    for field in fields(Recipe):
        required = field.default is MISSING
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=field.type,
            required=required,
            default=None if required else field.default,
            help=None if required else f"default {field.default}",
        )
    parser.add_argument(
        "--side", type=int, default=64, help="px at which photos are kept in the work folder"
    )
    parser.add_argument("--save-every", type=float, default=60, help="seconds between checkpoints")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--compile", action="store_true", help="torch.compile the student")
    parser.add_argument(
        "--evaluate",
        type=Path,
        nargs="+",
        default=[],
        help="sets to probe: <train|test>/<class>/<image>",
    )
    parser.add_argument(
        "--licence", default="Apache-2.0", help="of the weights: the teacher's decides"
    )
    parser.add_argument("--notes", type=Path, help="markdown to close the card with")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Trains up to `--images` (0 or less than was seen: not at all), writes weights, probes and card."""
    asked = parse(arguments)
    if asked.threads:
        torch.set_num_threads(asked.threads)
    recipe = Recipe(**{field.name: getattr(asked, field.name) for field in fields(Recipe)})
    photos = load_photos(asked.photos, asked.side, asked.work)
    teacher = load_teacher(
        recipe.teacher, asked.teacher_weights, recipe.teacher_size, torch.device(asked.device)
    )
    run = Distillation(recipe, teacher, photos, asked.work, asked.compile)
    print(f"{len(photos)} photos, {run.seen} images seen, to {recipe.images}", flush=True)
    try:
        _follow(run, asked.save_every)
    except KeyboardInterrupt:
        sys.exit(f"stopped; the same command resumes from {run.file}")
    write_weights(run.student.backbone, recipe, run.seen, len(photos), asked.out, asked.licence)
    _describe(asked, run, len(photos))


def _follow(run: Distillation, save_every: float) -> None:
    """Runs to the end, printing a line every few seconds."""
    since = time.monotonic()
    first = run.seen
    found = []
    for progress in run.run(save_every):
        found.append(progress)
        elapsed = time.monotonic() - since
        if elapsed >= REPORT_EVERY:
            print(_line(found, (progress.seen - first) / elapsed, run.recipe.images), flush=True)
            since = time.monotonic()
            first = progress.seen
            found = []


def _line(found: list[Progress], speed: float, goal: int) -> str:
    def mean(name: str) -> float:
        return sum(getattr(progress, name) for progress in found) / len(found)

    left = time.strftime("%H:%M:%S", time.gmtime((goal - found[-1].seen) / speed))
    return (
        f"{found[-1].seen}/{goal} images  loss {mean('loss'):.4f}  class {mean('class_error'):.4f}  "
        f"patches {mean('patch_error'):.4f}  lr {found[-1].rate:.2e}  {speed:.0f} images/s  {left} left"
    )


def _describe(asked: argparse.Namespace, run: Distillation, photos: int) -> None:
    """Probes student, random weights and teacher where sets are given, and writes the card."""
    text = "No probe was run."
    if asked.evaluate:
        text = FIGURES.format(
            shots=16, seeds="0, 1, 2", size=run.recipe.size, table=table(_figures(asked, run))
        )
    sources = ", ".join(source.name for source in asked.photos)
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    command = " ".join(["python -m peft_demo.pretrain", *words])
    notes = asked.notes.read_text("utf-8") if asked.notes else ""
    about = f"{photos:,} photos kept at {asked.side} px, from {sources}"
    asked.out.with_suffix(".md").write_text(
        card(asked.out, run.recipe, run.seen, about, command, text, notes, asked.licence), "utf-8"
    )


def _figures(asked: argparse.Namespace, run: Distillation) -> dict[str, dict[str, list[float]]]:
    size = run.recipe.size
    seed = run.recipe.seed
    teacher = load_teacher(run.recipe.teacher, asked.teacher_weights, size, torch.device("cpu"))
    models = {
        "random weights": random_twin(asked.out, seed),
        "student": read_weights(asked.out),
        "teacher": teacher,
    }
    figures = {}
    for source in asked.evaluate:
        data = load_set(source, size)
        figures[data.name] = {name: probe(model, data) for name, model in models.items()}
        print(
            data.name,
            {name: [round(a, 1) for a in row] for name, row in figures[data.name].items()},
            flush=True,
        )
    return figures


if __name__ == "__main__":
    main()
