"""The command line: the same services as the page, one command each.

Answers go to standard output, as text or (with --json) as one JSON value on the last line; progress and complaints go
to standard error. Bad input ends with exit code 2 and one sentence. Nothing heavy is imported before a command runs.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from time import sleep
from typing import Annotated, Any

import typer
from typer import Argument, Option

from .contracts.cards import Prediction, UploadPreview, ZooEntry
from .contracts.errors import BadImage, BadValue, PeftDemoError
from .contracts.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Interrupted,
    Noticed,
    Progressed,
    Started,
    Stepped,
    Surveyed,
    saved_adapter,
)
from .contracts.knobs import build, knobs, parse_settings
from .contracts.specs import ImportHints, PushSpec, Recipe, RunSpec
from .contracts.text import percent

app = typer.Typer(
    help="Fine-tune frozen Vision Transformers on a few images, and classify with the result.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
backbones_app = typer.Typer(
    help="List the frozen backbones, or add one from a file.", invoke_without_command=True
)
app.add_typer(backbones_app, name="backbones")

_USAGE = typer.BadParameter.__mro__[2]  # ClickException, wherever this version of Typer keeps Click

Data = Annotated[
    str, Option("--data", metavar="DATA", help="A bundled name, a folder, a zip, or hf:ID.")
]
DataWord = Annotated[
    str, Argument(metavar="DATA", help="A bundled name, a folder, a zip, or hf:ID.")
]
Adapter = Annotated[str, Argument(metavar="ADAPTER", help="An adapter of the zoo, or a file.")]
Backbone = Annotated[
    str, Option("--backbone", metavar="B", help="Its name; the bundled one if left out.")
]
Weights = Annotated[
    Path | None, Option("--weights", metavar="FILE", help="A timm checkpoint to register and use.")
]
Size = Annotated[
    int, Option("--size", metavar="PX", help="Image side; the backbone's own if left out.")
]
Shots = Annotated[int, Option("--shots", metavar="K", help="Training images per class.")]
Seed = Annotated[
    int, Option("--seed", metavar="S", help="Chooses images, starting weights and their order.")
]
Column = Annotated[str, Option(metavar="NAME", help="Of a Hub dataset; guessed if left out.")]
Zoo = Annotated[
    Path | None,
    Option("--zoo", metavar="DIR", help="Where adapters are, if not in PEFT_DEMO_HOME."),
]
Offline = Annotated[bool, Option("--offline", help="Look nothing up on the network.")]
Json = Annotated[bool, Option("--json", help="Print one JSON value on the last line.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: 0, or 2 after a sentence about bad input, or 130 after Ctrl-C."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    try:
        return app(arguments, prog_name="python -m peft_demo", standalone_mode=False) or 0
    except PeftDemoError as error:
        return _complain(str(error))
    except _USAGE as error:
        return _complain(error.format_message())
    except OSError as trouble:
        return _complain(f"{trouble.filename or 'a file'}: {trouble.strerror or trouble}.")
    except (KeyboardInterrupt, typer.Abort):
        return 130


def _complain(sentence: str) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)
    return 2


@contextmanager
def open_studio(zoo: Path | None = None, offline: bool = False) -> Iterator:
    """The services. What libraries print meanwhile goes to standard error: the answer has standard output to itself."""
    if offline:
        os.environ |= {
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
        }  # read once, when they are imported
    with redirect_stdout(sys.stderr):
        from .studio import Studio

        yield Studio(zoo=zoo, offline=offline, allow_local_paths=True)


def say(value: Any, lines: Iterable[str], as_json: bool) -> None:
    """The answer, on standard output: `value` as one line of JSON, or the lines."""
    print(json.dumps(value) if as_json else "\n".join(lines))


def table(rows: Iterable[Sequence]) -> list[str]:
    """Rows of cells in left-aligned columns."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


# what there is ----------------------------------------------------------------------------------------------------


@app.command()
def methods(backbone: Backbone = "", offline: Offline = False, as_json: Json = False) -> None:
    """List the methods and what each would train, head left out."""
    with open_studio(offline=offline) as studio:
        value = [_method(studio, m, backbone) for m in studio.training.methods()]
    rows = [(m["name"], _count(m), "merges" if m["merges"] else "", m["paper"]) for m in value]
    say(value, table([("METHOD", "TRAINABLE", "", "PAPER"), *rows]), as_json)


def _method(studio, card, backbone: str) -> dict:
    """What the method trains there; `trainable` is None, and `refusal` says why, where it does not fit the backbone."""
    about = {"name": card.name, "merges": card.merges, "paper": card.paper}
    try:
        cost = studio.training.cost(RunSpec(method=card.name, backbone=backbone))
    except BadValue as error:
        return about | {"trainable": None, "refusal": str(error)}
    return about | {"trainable": cost.trainable} | ({"budget": True} if cost.budget else {})


def _count(method: dict) -> str:
    if method["trainable"] is None:
        return "does not fit"
    return f"{method['trainable']:,}{' (a budget)' if method.get('budget') else ''}"


@backbones_app.callback()
def backbones(context: typer.Context, offline: Offline = False, as_json: Json = False) -> None:
    """List the frozen backbones, or add one from a file."""
    if context.invoked_subcommand:
        return
    with open_studio(offline=offline) as studio:
        cards = studio.zoo.backbones()
    rows = [
        (c.name, c.source, f"{c.parameters / 1e6:.1f} M", f"{c.size} px", f"{c.megabytes:.0f} MB")
        for c in cards
    ]
    say(
        [vars(c) for c in cards],
        table([("BACKBONE", "SOURCE", "PARAMETERS", "SIZE", "FILE"), *rows]),
        as_json,
    )


@backbones_app.command("add")
def add_backbone(
    file: Annotated[Path, Argument(metavar="FILE", help="A timm checkpoint, safetensors.")],
    arch: Annotated[
        str, Option(metavar="NAME", help="timm architecture; guessed from the file's name.")
    ] = "",
    name: Annotated[str, Option("--as", metavar="NAME", help="What to call it here.")] = "",
    as_json: Json = False,
) -> None:
    """Check a local checkpoint and keep a copy, for every command and the page."""
    with open_studio() as studio:
        card = studio.zoo.add_backbone(file, arch, name)
    say(
        vars(card),
        [f"{card.name}: {card.parameters:,} parameters, sha256 {card.fingerprint}"],
        as_json,
    )


@app.command()
def datasets(as_json: Json = False) -> None:
    """List the bundled datasets."""
    with open_studio() as studio:
        cards = studio.data.datasets()
    rows = [(c.name, f"{len(c.classes)} classes", f"{c.images} images", c.summary) for c in cards]
    say([vars(c) for c in cards], table(rows), as_json)


@app.command()
def zoo(
    verify: Annotated[
        bool, Option("--verify", help="Measure each on its test images again; 1 if one differs.")
    ] = False,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """List the adapters, own ones first, then those that come with the project."""
    if verify:
        return _verify(zoo, offline, as_json)
    with open_studio(zoo, offline) as studio:
        entries = studio.zoo.entries()
    say(
        [_entry(e) for e in entries], _listed(entries) if entries else ["no adapters yet."], as_json
    )


def _listed(entries: Sequence[ZooEntry]) -> list[str]:
    head = ("ADAPTER", "METHOD", "BACKBONE", "CLASSES", "KB", "VAL", "TEST", "")
    return table([head, *map(_row, entries)])


TOLERANCE = 0.01
"""How far a test accuracy may lie from its card: another processor rounds otherwise, and an image tips."""


def _verify(zoo: Path | None, offline: bool, as_json: bool) -> None:
    with open_studio(zoo, offline) as studio, Progress() as progress:
        rows = [_verified(studio, entry, progress) for entry in studio.zoo.entries()]
    cells = [
        (r["id"], percent(r["card"]), percent(r["now"]), r["images"], r["verdict"]) for r in rows
    ]
    say(
        rows,
        table([("ADAPTER", "CARD", "NOW", "IMAGES", ""), *cells]) if rows else ["no adapters yet."],
        as_json,
    )
    if any(r["verdict"] == "differs" for r in rows):
        raise typer.Exit(1)


def _verified(studio, entry: ZooEntry, progress) -> dict:
    """A row of `zoo --verify`; one that cannot be measured again says why."""
    told = entry.card.test_accuracy if entry.card else None
    row = {"id": entry.id, "card": told, "now": None, "images": 0}
    try:
        score = studio.answers.verify(entry.id, progress.report)
    except PeftDemoError as error:
        return row | {"verdict": str(error)}
    differs = told is None or abs(score.accuracy - told) > TOLERANCE
    return row | {
        "now": score.accuracy,
        "images": score.images,
        "verdict": "differs" if differs else "as in its card",
    }


def _entry(entry: ZooEntry) -> dict:
    about = {
        "id": entry.id,
        "file_bytes": entry.file_bytes,
        "shipped": entry.shipped,
        "refusal": entry.refusal,
    }
    if entry.card is None:
        return about
    fields = (
        "name",
        "method",
        "backbone",
        "size",
        "classes",
        "val_accuracy",
        "test_accuracy",
        "test_images",
        "created",
    )
    return about | {name: getattr(entry.card, name) for name in fields}


def _row(entry: ZooEntry) -> tuple:
    card = entry.card
    note = entry.refusal or ("shipped" if entry.shipped else "")
    about = (card.method, card.backbone, len(card.classes)) if card else ("?", "?", "?")
    scores = (percent(card.val_accuracy), percent(card.test_accuracy)) if card else ("", "")
    return entry.id, *about, f"{entry.file_bytes / 1000:.0f}", *scores, note


# data and training ------------------------------------------------------------------------------------------------


@app.command()
def check(
    data: DataWord,
    shots: Shots = 16,
    seed: Seed = 0,
    image_column: Column = "",
    label_column: Column = "",
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Tell what a dataset gives: classes, counts, and what would be left out and why."""
    with open_studio(offline=offline) as studio, Progress() as progress:
        spec = studio.data.read(data, shots, seed, image_column, label_column)
        report = studio.data.check(spec, progress.report)
    rows = [(c.name, c.found, c.train, c.val, c.test) for c in report.counts]
    value = {
        "title": report.title,
        "classes": [dict(zip(_COUNTED, row, strict=True)) for row in rows],
    }
    value |= {name: getattr(report, name) for name in ("rejected", "notices", "problem")}
    lines = table([[c.upper() for c in _COUNTED], *rows])
    lines += [f"left out: {file}: {reason}" for file, reason in report.rejected] + list(
        report.notices
    )
    say(
        value,
        [
            *lines,
            f"cannot be trained on: {report.problem}" if report.problem else "ready to train.",
        ],
        as_json,
    )


_COUNTED = ("class", "found", "train", "val", "test")


def with_recipe(command: Callable) -> Callable:
    """Gives `command` a flag for each knob of the recipe; it gets those that were set as `recipe`, name → text."""

    @wraps(command)
    def wrapped(**options):
        recipe = {k.name: options.pop(k.name) for k in knobs(Recipe)}
        return command(
            **options, recipe={name: text for name, text in recipe.items() if text is not None}
        )

    own = [p for p in signature(command).parameters.values() if p.name != "recipe"]
    parameters = [*own, *map(_flag, knobs(Recipe))]
    wrapped.__signature__ = signature(command).replace(parameters=parameters)
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def _flag(knob) -> Parameter:
    text = f"{knob.label}{': ' + knob.info if knob.info else ''} [default: {knob.default}]"
    option = Option(
        f"--{knob.name.replace('_', '-')}", metavar="|".join(knob.choices) or knob.kind, help=text
    )
    return Parameter(
        knob.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


@app.command()
@with_recipe
def train(
    data: Data,
    method: Annotated[str, Option(metavar="M", help="`methods` lists them.")] = "lora",
    backbone: Backbone = "",
    weights: Weights = None,
    size: Size = 0,
    shots: Shots = 16,
    seed: Seed = 0,
    settings: Annotated[
        list[str] | None, Option("--set", metavar="KNOB=VALUE", help="Of the method; repeat.")
    ] = None,
    image_column: Column = "",
    label_column: Column = "",
    thumbnail: Annotated[
        bool, Option("--thumbnail", help="Keep a small picture of one training image in the file.")
    ] = False,
    out: Annotated[
        Path | None, Option(metavar="FILE", help="Write the adapter here, not into the zoo.")
    ] = None,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
) -> None:
    """Fine-tune: photos in, one adapter file out. Ctrl-C stops and keeps the best so far."""
    with open_studio(zoo, offline) as studio:
        spec = studio.data.read(data, shots, seed, image_column, label_column)
        backbone = studio.zoo.add_backbone(weights, arch=backbone).name if weights else backbone
        run = RunSpec(
            method,
            parse_settings(settings or ()),
            spec,
            backbone,
            size,
            build(Recipe, recipe),
            thumbnail=thumbnail,
        )
        ending, adapter = _follow(studio, studio.training.start(run, out=out))
        id = studio.zoo.find(adapter)
        card = studio.zoo.card(id)
        file = studio.zoo.file(id)
    value = _result(ending, card, file) | {"adapter": adapter}
    say(value, _told(value, ending, card), as_json)


def _follow(studio, run: str) -> tuple[Finished, str]:
    """Shows the run until it ends; its last event and the adapter. The first Ctrl-C stops it, the second gives up."""
    cursor = 0
    told = []
    stopping = False
    with Progress() as progress:
        while not (told and told[-1].final):
            try:
                news, cursor = studio.training.follow(run, cursor)
                told += news
                for event in news:
                    progress.show(event)
                sleep(0.05)
            except KeyboardInterrupt:
                if stopping:
                    raise
                stopping = True
                studio.training.stop(run)
    return _ending(told)


def _ending(told: Sequence[Event]) -> tuple[Finished, str]:
    adapter = saved_adapter(told)
    match told[-1]:
        case Failed(sentence, hint):
            raise PeftDemoError(sentence, hint)
        case Interrupted():
            raise KeyboardInterrupt
        case ending if not adapter:
            raise PeftDemoError("the run was stopped before there was anything to keep.")
    return ending, adapter


def _result(ending: Finished, card, file: Path) -> dict:
    measured = (
        "trainable",
        "head",
        "file_bytes",
        "val_accuracy",
        "test_accuracy",
        "test_images",
        "seconds",
    )
    measured += ("images_per_second", "memory_mb", "unchanged", "fingerprint")
    about = {"method": card.method, "backbone": card.backbone, "size": card.size, "file": str(file)}
    about |= {
        "shots": card.spec["data"]["shots"],
        "seed": card.spec["data"]["seed"],
        "stopped": not _whole(ending),
    }
    return about | {name: getattr(ending, name) for name in measured}


def _whole(ending: Finished) -> bool:
    return type(ending) is Finished


def _told(value: dict, ending: Finished, card) -> list[str]:
    test = percent(ending.test_accuracy) + (
        f" of {ending.test_images} images" if ending.test_images else ""
    )
    frozen = "unchanged ✓" if ending.unchanged else "CHANGED: please report this"
    speed = f"{ending.seconds:.1f} s, {ending.images_per_second:.0f} images/s"
    return [
        f"adapter   {value['adapter']}{'' if _whole(ending) else '  (stopped early)'}",
        f"file      {value['file']}  ({ending.file_bytes / 1000:.1f} kB)",
        f"accuracy  test {test}, validation {percent(ending.val_accuracy)}",
        f"trained   {ending.trainable:,} parameters and a head of {ending.head:,}, in {speed}",
        f"backbone  {card.backbone} {frozen} sha256 {ending.fingerprint}",
        f"again     {card.command()}",
    ]


class Progress:
    """What a run or a long question is doing, on standard error: a bar on a terminal, plain lines elsewhere."""

    def __enter__(self) -> "Progress":
        self.bar = None
        self.what = ""
        return self

    def __exit__(self, *_) -> None:
        self._open(None)

    def report(self, what: str, fraction: float = -1.0) -> None:
        """Progress of something before or beside training."""
        if what != self.what:
            self.what = what
            self._open(1.0, f"{what}: {{percentage:3.0f}} %|{{bar}}|" if fraction >= 0 else what)
            if self.bar is None:
                self.line(what)
        self._at(max(fraction, 0.0))

    def show(self, event: Event) -> None:
        """One event of a run."""
        match event:
            case Progressed(what, fraction):
                self.report(what, fraction)
            case Surveyed(batch, batches):
                self.report("asking which weights matter", batch / batches)
            case Noticed(_, text):
                self.line(text)
            case Started():
                self._open(event.steps)
            case Stepped():
                self._at(event.step, f"loss {event.loss:.3f}")
            case Evaluated():
                best = " (best)" if event.best else ""
                self.line(
                    f"step {event.step}: validation accuracy {percent(event.accuracy)}, loss {event.loss:.3f}{best}"
                )

    def _open(self, total: float | None, form: str | None = None) -> None:
        from tqdm import tqdm

        if self.bar is not None:
            self.bar.close()
        shown = total is not None and sys.stderr.isatty()
        self.bar = (
            tqdm(total=total, bar_format=form, file=sys.stderr, leave=False) if shown else None
        )

    def _at(self, place: float, note: str = "") -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(place - self.bar.n)

    def line(self, text: str) -> None:
        """A line that stays."""
        if self.bar is not None:
            self.bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)


# answers ----------------------------------------------------------------------------------------------------------


@app.command()
def predict(
    adapter: Adapter,
    images: Annotated[list[Path], Argument(metavar="IMAGE...", help="Pictures to classify.")],
    top: Annotated[int, Option(metavar="N", help="How many classes to name.")] = 5,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Say what is on a picture."""
    with open_studio(zoo, offline) as studio:
        id = studio.zoo.find(adapter)
        answers = [(image, _classify(studio, image, id, top)) for image in images]
    value = [
        {"image": str(i), **vars(p), "label": p.label, "probability": p.probability}
        for i, p in answers
    ]
    say(
        value,
        table((i, p.label, percent(p.probability), f"{p.ms:.1f} ms") for i, p in answers),
        as_json,
    )


def _classify(studio, image: Path, id: str, top: int) -> Prediction:
    try:
        return studio.answers.classify(image, [id], top)[0]
    except BadImage as error:
        raise BadImage(f"{image}: {error.sentence}", error.hint) from None


@app.command()
def evaluate(
    adapter: Adapter,
    data: Data,
    image_column: Column = "",
    label_column: Column = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Measure an adapter on a dataset; images it was trained on are left out."""
    with open_studio(zoo, offline) as studio, Progress() as progress:
        spec = studio.data.read(data, image_column=image_column, label_column=label_column)
        score = studio.answers.evaluate(studio.zoo.find(adapter), spec, progress.report)
    lines = table(
        (name, percent(accuracy), f"{images} images") for name, accuracy, images in score.per_class
    )
    total = f"accuracy {percent(score.accuracy)} of {score.images} images; {score.left_out} left out, seen in training"
    say(vars(score), [*lines, total], as_json)


@app.command()
def merge(
    adapter: Adapter,
    out: Annotated[
        Path,
        Option("--out", metavar="FILE", help="Where to write plain timm weights, safetensors."),
    ],
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Fold an adapter into its backbone and write plain timm weights."""
    with open_studio(zoo, offline) as studio:
        studio.zoo.merge(studio.zoo.find(adapter), out)
        size = out.stat().st_size
    say(
        {"file": str(out), "file_bytes": size},
        [f"{out}: {size / 1e6:.1f} MB of plain timm weights"],
        as_json,
    )


@app.command()
def export(
    adapter: Adapter,
    to: Annotated[str, Option("--to", metavar="peft|onnx", help="Whose format to write.")],
    out: Annotated[
        Path, Option("--out", metavar="PATH", help="A new folder (peft) or a file (onnx).")
    ],
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Write an adapter for another program: huggingface/peft or ONNX."""
    with open_studio(zoo, offline) as studio:
        notes = studio.zoo.export(studio.zoo.find(adapter), to, out)
    say(
        {"path": str(out), "format": to, "notes": list(notes)},
        [f"{out}: written for {to}", *notes],
        as_json,
    )


@app.command("import")
def import_adapter(
    path: Annotated[
        Path,
        Argument(
            metavar="PATH", help="An adapter file, a folder of huggingface/peft, a 1-bit .bin."
        ),
    ],
    method: Annotated[
        str, Option(metavar="M", help="Of a 1-bit file: bi_lora or bi_adaptformer.")
    ] = "",
    settings: Annotated[
        list[str] | None, Option("--set", metavar="KNOB=VALUE", help="Of a 1-bit file; repeat.")
    ] = None,
    classes: Annotated[
        str, Option(metavar="A,B,C", help="Their names in the order of the head.")
    ] = "",
    backbone: Backbone = "",
    size: Size = 0,
    name: Annotated[str, Option("--as", metavar="NAME", help="What to call it here.")] = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Take an adapter into the zoo: one of these files, a LoRA made with huggingface/peft, a released 1-bit file."""
    names = tuple(" ".join(c.split()) for c in classes.split(",")) if classes else ()
    given = ImportHints(method, parse_settings(settings or ()), names, backbone, size, name)
    with open_studio(zoo, offline) as studio:
        if not path.exists():
            raise BadValue(f"there is no {path}.", "Name a file or a folder of this machine.")
        id = studio.zoo.take(path, given)
        card = studio.zoo.card(id)
        file = studio.zoo.file(id)
    value = {
        "adapter": id,
        "method": card.method,
        "backbone": card.backbone,
        "classes": list(card.classes),
    }
    say(
        value | {"file": str(file)},
        [f"{id}: {card.method} on {card.backbone}, {len(card.classes)} classes"],
        as_json,
    )


# the Hugging Face Hub ---------------------------------------------------------------------------------------------


@app.command()
def push(
    adapters: Annotated[
        list[str] | None, Argument(metavar="ADAPTER", help="Of the zoo, or files.")
    ] = None,
    *,
    repo: Annotated[str, Argument(metavar="REPO", help="OWNER/NAME on the Hub; made if need be.")],
    every: Annotated[bool, Option("--all", help="All adapters of your own zoo.")] = False,
    private: Annotated[bool, Option("--private", help="Only you will see the repository.")] = False,
    licence: Annotated[
        str, Option(metavar="NAME", help="As the Hub writes it; the backbone's if left out.")
    ] = "",
    thumbnail: Annotated[
        bool, Option("--thumbnail", help="Leave the small training image in the file.")
    ] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would become public, and send nothing.")
    ] = False,
    yes: Annotated[bool, Option("--yes", help="Send without asking.")] = False,
    zoo: Zoo = None,
    as_json: Json = False,
) -> None:
    """Put adapters on the Hugging Face Hub, with a model card. Shows what becomes public before it asks."""
    with open_studio(zoo) as studio, Progress() as progress:
        own = [e.id for e in studio.zoo.entries() if e.card and not e.shipped] if every else []
        ids = dict.fromkeys([studio.zoo.find(a) for a in adapters or ()] + own)
        wanted = PushSpec(tuple(ids), repo, private, licence, thumbnail)
        parcel = studio.hub.preview(wanted)
        if not dry_run:
            progress.line("\n".join(_parcel(parcel)))
            if not yes and not typer.confirm("Send this to the Hub?", err=True):
                raise PeftDemoError("nothing was sent.")
            address = studio.hub.push(wanted, report=progress.report, agreed=parcel.digest)
    say(*((vars(parcel), _parcel(parcel)) if dry_run else ({"url": address}, [address])), as_json)


def _parcel(parcel: UploadPreview) -> list[str]:
    files = table((name, f"{size:,} bytes") for name, size in parcel.files)
    return [
        f"To {parcel.repo}:",
        *files,
        "",
        "What can be read from it:",
        *parcel.disclosures,
        "",
        "README.md:",
        parcel.card,
    ]


@app.command()
def pull(
    repo: Annotated[str, Argument(metavar="REPO", help="OWNER/NAME on the Hub.")],
    names: Annotated[
        list[str] | None, Argument(metavar="NAME", help="Which of its adapters.")
    ] = None,
    every: Annotated[bool, Option("--all", help="All that are in it.")] = False,
    revision: Annotated[
        str, Option(metavar="REV", help="Branch, tag or commit; the latest if left out.")
    ] = "",
    zoo: Zoo = None,
    as_json: Json = False,
) -> None:
    """Take adapters from a repository of the Hugging Face Hub; of several, lists them unless told which."""
    with open_studio(zoo) as studio, Progress() as progress:
        entries = studio.hub.adapters(repo, revision) if not names and not every else ()
        taken = (
            studio.hub.pull(repo, names or (), revision, report=progress.report)
            if len(entries) < 2
            else []
        )
    if taken:
        return say({"adapters": taken}, [f"{id} is in the zoo now." for id in taken], as_json)
    say(
        [_entry(e) for e in entries],
        [*_listed(entries), "name some of them, or take them --all."],
        as_json,
    )
