"""The model card of a repository of adapters: what they are, how they were measured, how to use and to repeat them.

The front matter is written by huggingface_hub. Words from a file (names, classes) stand in code spans, where neither
Markdown nor HTML means anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import MethodCard
from ..contracts.errors import PeftDemoError
from ..contracts.text import percent

TAG = "peft-demo"
"""Tells a card of ours from others."""
LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0",
            "cc-by-nc-sa-4.0", "openrail", "unlicense", "other"}  # fmt: skip
"""What the Hub knows by itself; anything else goes there as "other" with a name."""


@dataclass(frozen=True)
class Described:
    """One adapter of the card. `file` and `picture` are names in the repository, `picture` "" without curves."""

    file: str
    file_bytes: int
    picture: str
    card: AdapterCard
    method: MethodCard
    base: str
    """Hub repository of the frozen backbone, "" where it has none."""

    @property
    def name(self) -> str:
        return self.file.removesuffix(".safetensors")

    @property
    def data(self) -> Mapping:
        """What the card's spec says of data, empty if nothing: the file may be a stranger's."""
        data = self.card.spec.get("data")
        return data if isinstance(data, Mapping) else {}

    @property
    def dataset(self) -> str:
        """Id of the Hub dataset it was trained on, "" for any other."""
        name = str(self.data.get("name", ""))
        return name.partition(":")[0] if self.data.get("source") == "hub" else ""


def model_card(repo: str, adapters: Sequence[Described], licence: str) -> str:
    """README.md of the model repository `repo`."""
    front = front_matter(repo, adapters, licence).to_yaml()
    return str(
        ModelCard(f"---\n{front}\n---\n\n{_body(repo, adapters)}", ignore_metadata_errors=True)
    )


def front_matter(repo: str, adapters: Sequence[Described], licence: str) -> ModelCardData:
    """What the Hub indexes. A base model is named only where the backbone is one of the Hub."""
    bases = _distinct(a.base for a in adapters)
    known = licence in LICENCES
    return ModelCardData(
        license=licence if known else "other",
        license_name=None if known else licence or "not-stated",
        base_model=(bases if len(bases) > 1 else bases[0]) if bases else None,
        base_model_relation="adapter" if bases else None,
        library_name=TAG,
        pipeline_tag="image-classification",
        tags=[TAG, *_distinct(a.card.method for a in adapters)],
        datasets=_distinct(a.dataset for a in adapters) or None,
        metrics=["accuracy"],
        model_name=repo.partition("/")[2],
        eval_results=[_result(a) for a in adapters if a.card.test_accuracy is not None] or None,
    )


def _result(adapter: Described) -> EvalResult:
    card = adapter.card
    data = adapter.data
    name = str(data.get("name", "unknown"))[:100]
    return EvalResult(
        task_type="image-classification",
        dataset_type=adapter.dataset or name,
        dataset_name=name,
        dataset_split="test",
        metric_type="accuracy",
        metric_value=round(card.test_accuracy, 4),
        metric_name=f"test accuracy of {adapter.name}",
        metric_args={
            "shots": data.get("shots"),
            "seed": data.get("seed"),
            "test_images": card.test_images,
        },
    )


def _body(repo: str, adapters: Sequence[Described]) -> str:
    what = "An adapter" if len(adapters) == 1 else f"{len(adapters)} adapters"
    parts = [
        f"# {repo.partition('/')[2]}",
        f"{what} for image classification with a frozen Vision Transformer: {TAG}.",
    ]
    parts += [_section(a) for a in adapters]
    parts += ["## Use", f"```python\n{usage(repo, adapters[0])}\n```"]
    parts += [
        "Or take all that is here into the zoo of the page:",
        f"```sh\n{_command(repo, adapters)}\n```",
    ]
    papers = _distinct(
        f"- {a.method.title}: {a.method.paper}. <{a.method.url}>" for a in adapters if a.method.url
    )
    if papers:
        parts += ["## Citation", "\n".join(papers)]
    return "\n\n".join(parts) + "\n"


def usage(repo: str, adapter: Described) -> str:
    """Five lines of Python that classify a photo."""
    return (
        "from huggingface_hub import hf_hub_download\n"
        "from peft_demo import attach, load, load_backbone\n"
        f"adapter = load(hf_hub_download({repo!r}, {adapter.file!r}))\n"
        "model = attach(load_backbone(adapter.card.backbone, adapter.card.size), adapter)\n"
        'print(model.classify("photo.jpg").label)'
    )


def _command(repo: str, adapters: Sequence[Described]) -> str:
    return f"python -m peft_demo pull {repo}{' --all' if len(adapters) > 1 else ''}"


def _section(adapter: Described) -> str:
    picture = (
        f"![Training loss and validation accuracy]({adapter.picture})\n\n"
        if adapter.picture
        else ""
    )
    facts = "\n".join(f"- **{label}**: {words}" for label, words in _facts(adapter))
    again = _reproduction(adapter.card)
    repeat = f"\n\nThe command that makes it again:\n\n```sh\n{again}\n```" if again else ""
    return f"## {adapter.name}\n\n{picture}{facts}{repeat}"


def _facts(adapter: Described) -> list[tuple[str, str]]:
    card = adapter.card
    data = adapter.data
    method = adapter.method
    knobs = ", ".join(f"{name} = {value}" for name, value in card.knobs.items())
    paper = f" ([paper]({method.url}))" if method.url else ""
    learned = f"{_code(data.get('name', 'unknown'))}, {_code(data.get('shots', '?'))} training images per class"
    return [
        ("Method", f"{method.title}{paper}. {method.summary} `{method.formula}`"),
        *([("Knobs", _code(knobs))] if knobs else []),
        ("Backbone", f"{_code(card.backbone)}, frozen, at {card.size} px; sha256 `{card.fingerprint}`"),
        (f"Classes ({len(card.classes)})", ", ".join(map(_code, card.classes))),
        ("Data", f"{learned}, seed {_code(data.get('seed', '?'))}"),
        ("Test accuracy", _test(card)),
        ("Validation accuracy", _validation(card)),
        ("File", f"`{adapter.file}`, {adapter.file_bytes / 1000:.0f} kB: {card.trainable:,} parameters of the method, "
                 f"{card.head:,} of the head"),
    ]  # fmt: skip


def _test(card: AdapterCard) -> str:
    if card.test_accuracy is None:
        return "not measured"
    return f"{percent(card.test_accuracy)} of {card.test_images} images, looked at once, at the end"


def _validation(card: AdapterCard) -> str:
    if card.val_accuracy is None:
        return "not measured"
    return f"{percent(card.val_accuracy)} of {card.val_images} images, on which the best state was chosen"


def _reproduction(card: AdapterCard) -> str:
    """The command from the checked spec; empty if the spec does not hold up or would break out of its block."""
    try:
        command = card.command()
    except PeftDemoError:
        return ""
    return "" if "\n" in command or "```" in command else command


def _code(words: object) -> str:
    """Words from anywhere as a code span: on one line, no backtick, no bar that would end a cell."""
    return f"`{' '.join(str(words).split()).replace('`', chr(39))[:200] or ' '}`"


def _distinct(values) -> list:
    return list(dict.fromkeys(v for v in values if v))
