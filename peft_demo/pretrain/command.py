"""The command line of `python -m peft_demo.pretrain`; a recipe's fields are flags."""

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import torch

from .recipe import Recipe


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; a recipe's fields become flags with the recipe's own defaults."""
    parser = argparse.ArgumentParser("python -m peft_demo.pretrain", description=__doc__)
    _add_files(parser)
    for field in fields(Recipe):
        _add_setting(parser, field)
    parser.add_argument("--side", type=int, default=64, help="px at which --work keeps photos")
    parser.add_argument("--save-every", type=float, default=60, help="seconds between checkpoints")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--compile", action="store_true", help="torch.compile the student")
    parser.add_argument(
        "--licence", default="Apache-2.0", help="of the weights: the teacher's decides"
    )
    return parser.parse_args(arguments)


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe that the flags describe."""
    return Recipe(**{field.name: getattr(options, field.name) for field in fields(Recipe)})


def _add_files(parser: argparse.ArgumentParser) -> None:
    def add(flag: str, help: str, **settings: Any) -> None:
        parser.add_argument(flag, type=Path, help=help, **settings)

    add("--photos", "folders or zips of unlabelled photos", nargs="+", required=True)
    add("--work", "checkpoint and cached targets; resumed when it has one", required=True)
    add("--out", "weights file to write; its card stands beside it", required=True)
    add("--teacher-weights", "local safetensors under timm's names; default: timm's hub")
    add("--evaluate", "sets to probe: <train|test>/<class>/<image>", nargs="+", default=[])
    add("--notes", "markdown to close the card with")


def _add_setting(parser: argparse.ArgumentParser, field: Field) -> None:
    flag = f"--{field.name.replace('_', '-')}"
    if field.default is MISSING:
        parser.add_argument(flag, type=field.type, required=True)
    else:
        help = f"default {field.default}"
        parser.add_argument(flag, type=field.type, default=field.default, help=help)
