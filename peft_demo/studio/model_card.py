"""The model card of a repository of adapters: what they are, how measured, how used and repeated.

The front matter is written by huggingface_hub. Words from a file (names, classes) stand in code
spans, where neither Markdown nor HTML means anything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ..contracts.accuracy import in_words
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import MethodCard
from ..contracts.errors import PeftDemoError
from ..contracts.text import percent

TAG = "peft-demo"
"""Tells a card of ours from others."""
LICENCES = {
    "apache-2.0",
    "mit",
    "bsd-3-clause",
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "openrail",
    "unlicense",
    "other",
}
"""What the Hub knows by itself; anything else goes there as "other" with a name."""


@dataclass(frozen=True)
class Described:
    """One adapter of the card.

    `file` and `picture` are names in the repository; `picture` is "" without curves.
    """

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
        """The data of the card's spec, empty if there is none: the file may be a stranger's."""
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
    content = f"---\n{front}\n---\n\n{_body(repo, adapters)}"
    return str(ModelCard(content, ignore_metadata_errors=True))


def front_matter(repo: str, adapters: Sequence[Described], licence: str) -> ModelCardData:
    """What the Hub indexes. A base model is named only where the backbone is one of the Hub."""
    bases = _distinct(a.base for a in adapters)
    known = licence in LICENCES
    return ModelCardData(
        license=licence if known else "other",
        license_name=None if known else licence or "not-stated",
        base_model=bases[0] if len(bases) == 1 else bases or None,
        base_model_relation="adapter" if bases else None,
        library_name=TAG,
        pipeline_tag="image-classification",
        tags=[
            TAG,
            *_distinct(a.card.method for a in adapters),
            *_distinct(a.card.backbone for a in adapters),
        ],
        datasets=_distinct(a.dataset for a in adapters) or None,
        metrics=["accuracy"],
        model_name=repo.partition("/")[2],
        eval_results=_results(adapters) or None,
    )


def _results(adapters: Sequence[Described]) -> list[EvalResult]:
    results = []
    for adapter in adapters:
        accuracy = adapter.card.test_accuracy
        if accuracy is not None:
            results.append(_result(adapter, accuracy))
    return results


def _result(adapter: Described, accuracy: float) -> EvalResult:
    data = adapter.data
    name = str(data.get("name", "unknown"))[:100]
    return EvalResult(
        task_type="image-classification",
        dataset_type=adapter.dataset or name,
        dataset_name=name,
        dataset_split="test",
        metric_type="accuracy",
        metric_value=round(accuracy, 4),
        metric_name=f"test accuracy of {adapter.name}",
        metric_args={
            "shots": data.get("shots"),
            "seed": data.get("seed"),
            "test_images": adapter.card.test_images,
        },
    )


def _body(repo: str, adapters: Sequence[Described]) -> str:
    subject = "An adapter" if len(adapters) == 1 else f"{len(adapters)} adapters"
    parts = [
        f"# {repo.partition('/')[2]}",
        f"{subject} for image classification with a frozen Vision Transformer: {TAG}.",
        *(_section(adapter) for adapter in adapters),
        "## Use",
        f"```python\n{usage(repo, adapters[0])}\n```",
        "Or take all that is here into the zoo of the page:",
        f"```sh\n{_command(repo, adapters)}\n```",
    ]
    papers = _distinct(_citation(adapter.method) for adapter in adapters)
    if papers:
        parts += ["## Citation", "\n".join(papers)]
    return "\n\n".join(parts) + "\n"


def _citation(method: MethodCard) -> str:
    """A line of the list of papers, "" for a method without one."""
    if not method.url:
        return ""
    return f"- {method.title}: {method.paper}. <{method.url}>"


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
    parts = [f"## {adapter.name}"]
    if adapter.picture:
        parts.append(f"![Training loss and validation accuracy]({adapter.picture})")
    parts.append("\n".join(f"- **{label}**: {words}" for label, words in _facts(adapter)))
    again = _reproduction(adapter.card)
    if again:
        parts += ["The command that makes it again:", f"```sh\n{again}\n```"]
    return "\n\n".join(parts)


def _facts(adapter: Described) -> Iterator[tuple[str, str]]:
    """(label, Markdown) of the lines about an adapter."""
    card = adapter.card
    method = adapter.method
    paper = f" ([paper]({method.url}))" if method.url else ""
    yield "Method", f"{method.title}{paper}. {method.summary} `{method.formula}`"
    if card.knobs:
        yield "Knobs", _code(", ".join(f"{name} = {value}" for name, value in card.knobs.items()))
    backbone = f"{_code(card.backbone)}, frozen, at {card.size} px"
    yield "Backbone", f"{backbone}; sha256 `{card.fingerprint}`"
    yield f"Classes ({len(card.classes)})", ", ".join(map(_code, card.classes))
    name = _code(adapter.data.get("name", "unknown"))
    shots = _code(adapter.data.get("shots", "?"))
    seed = _code(adapter.data.get("seed", "?"))
    yield "Data", f"{name}, {shots} training images per class, seed {seed}"
    if card.origin:
        yield "Went on from", f"{_code(card.origin)}, another adapter"
    if card.tuned:
        yield "Settings", card.tuned
    yield "Test accuracy", _test(card)
    yield "Validation accuracy", _validation(card)
    parameters = f"{card.trainable:,} parameters of the method, {card.head:,} of the head"
    yield "File", f"`{adapter.file}`, {adapter.file_bytes / 1000:.0f} kB: {parameters}"


def _test(card: AdapterCard) -> str:
    if card.test_accuracy is None:
        return percent(None)
    said = in_words(card.test_accuracy, card.test_images)
    return f"{said}; the images were looked at once, at the end"


def _validation(card: AdapterCard) -> str:
    if card.val_accuracy is None:
        return percent(None)
    said = in_words(card.val_accuracy, card.val_images)
    return f"{said}; these images had a say in which state was kept"


def _reproduction(card: AdapterCard) -> str:
    """The command from the checked spec, "" if there is none or it would break out of its block."""
    try:
        command = card.command()
    except PeftDemoError:
        return ""
    breaks_out = "\n" in command or "```" in command
    return "" if breaks_out else command


def _code(words: object) -> str:
    """Words from anywhere as a code span, on one line and without a backtick."""
    one_line = " ".join(str(words).split())
    return f"`{one_line.replace('`', chr(39))[:200] or ' '}`"


def _distinct(values: Iterable[str]) -> list[str]:
    """Each value once, in order; empty ones are left out."""
    return list(dict.fromkeys(filter(None, values)))
