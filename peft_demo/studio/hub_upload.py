"""What a push would make public: the adapter files, a curve picture of each, and the model card.

Pushed copies say less than the files at home: the thumbnail stays behind unless asked for, and of
the run's spec only what is public goes along (`RunSpec.public`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from .. import methods
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import UploadPreview
from ..contracts.errors import PeftDemoError, UnknownName
from ..contracts.specs import PushSpec, RunSpec
from ..storage.names import free_name, slug
from ..vit.catalogue import Source, find
from ..vit.source import timm_config
from .curve import curve
from .heavy import adapters
from .model_card import Described, model_card

README = "README.md"


def pack(
    push: PushSpec, files: Sequence[Path], home: Path
) -> tuple[UploadPreview, dict[str, bytes]]:
    """What is shown, and the content of every file by its name. Sends nothing.

    `files` are the adapters of `push`; `home` is where registered backbones lie.
    """
    contents: dict[str, bytes] = {}
    described = [_add(contents, file, push.thumbnail, home) for file in files]
    licence = push.licence or _licence((adapter.card for adapter in described), home)
    contents[README] = model_card(push.repo, described, licence).encode()
    return preview_of(push, contents, _disclosures(described, push)), contents


def preview_of(
    push: PushSpec, contents: Mapping[str, bytes], disclosures: Iterable[str]
) -> UploadPreview:
    """What a person is shown of the files that would be sent, a README.md among them."""
    return UploadPreview(
        repo=push.repo,
        files=tuple((name, len(content)) for name, content in contents.items()),
        card=contents[README].decode(),
        disclosures=tuple(disclosures),
        digest=_digest(contents),
    )


def _digest(contents: Mapping[str, bytes]) -> str:
    lines = [f"{sha256(content).hexdigest()} {name}\n" for name, content in contents.items()]
    return sha256("".join(lines).encode()).hexdigest()


def _add(contents: dict[str, bytes], path: Path, thumbnail: bool, home: Path) -> Described:
    """Puts one adapter and its picture among the contents."""
    file = published(adapters.AdapterFile.open(path), thumbnail)
    card = file.card
    name = free_name(slug(path.stem), (Path(other).stem for other in contents))
    contents[f"{name}.safetensors"] = file.content
    picture = curve(card)
    if picture:
        contents[f"{name}.png"] = picture
    source = _source(card, home)
    return Described(
        file=f"{name}.safetensors",
        file_bytes=len(file.content),
        picture=f"{name}.png" if picture else "",
        card=card,
        method=methods.find_card(card.method),
        base=source.hub if source else "",
    )


def published(file: "adapters.AdapterFile", thumbnail: bool) -> "adapters.AdapterFile":
    """The adapter file as it goes out: its tensors, and a card without what stays at home.

    The card is written anew, so nothing goes out that this version cannot read.
    """
    card = file.card
    picture = card.thumbnail if thumbnail else ""
    return file.with_card(replace(card, spec=_public_spec(card.spec), thumbnail=picture))


def _public_spec(spec: Mapping) -> Mapping:
    """The spec without what is private.

    Of one that cannot be read nothing goes out, as nobody knows what is in it.
    """
    try:
        run = RunSpec.from_json(spec)
    except PeftDemoError:
        return {}
    public = run.public()
    return spec if public == run else public.to_json()


def _source(card: AdapterCard, home: Path) -> Source | None:
    """The frozen backbone the card names, None if neither this machine nor timm knows it."""
    try:
        return find(card.backbone, home, card.fingerprint)
    except UnknownName:
        return None


def _licence(cards: Iterable[AdapterCard], home: Path) -> str:
    """That of the backbones if they agree on one, else ""."""
    licences = {licence_of(_source(card, home)) for card in cards}
    return licences.pop() if len(licences) == 1 else ""


def licence_of(source: Source | None) -> str:
    """As the Hub writes it, "" where nobody says.

    A file of one's own may be under any licence, whatever timm says of its architecture.
    """
    if source is None:
        return ""
    if source.licence:
        return source.licence.lower()
    if not source.hub:
        return ""
    return timm_config(source.name).license or ""


def _disclosures(described: Sequence[Described], push: PushSpec) -> Iterable[str]:
    yield named_classes(name for adapter in described for name in adapter.card.classes)
    yield "The names of the datasets, the training curves, and all else that stands on the cards."
    seen = sum(len(adapter.card.seen) for adapter in described)
    if seen:
        yield (
            f"Hashes of {seen} training and validation images (not the images): "
            "who has an image can recognise it."
        )
    if any(adapter.card.doubt for adapter in described):
        yield (
            "Mean features of the training images of each class (not the images): "
            "of one image a class, they are that image's features."
        )
    with_picture = [adapter.name for adapter in described if adapter.card.thumbnail]
    if with_picture:
        yield f"A small picture of one training image each: {', '.join(with_picture)}."
    else:
        yield "No training image: the small picture that some files carry is left out."
    yield visibility(push)
    yield (
        f"A model card that {push.repo} has from an earlier push is replaced; "
        "other files there stay."
    )


def named_classes(names: Iterable[str]) -> str:
    """That these can be read."""
    classes = list(dict.fromkeys(names))
    return f"The names of {len(classes)} classes: {', '.join(classes)}."


def visibility(push: PushSpec) -> str:
    """Who will see it."""
    if push.private:
        return "Only you and your organisation will see it."
    return "Everybody can see and copy it."
