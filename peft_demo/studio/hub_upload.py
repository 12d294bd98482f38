"""What a push would make public: the adapter files, a curve picture of each, and the model card.

Pushed copies say less than the files at home: the thumbnail stays behind unless asked for, and the key of an upload or
of class cards is replaced by a plain word. The key of class cards is the browser's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import timm

from .. import methods
from ..adapters import AdapterFile
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import UploadPreview
from ..contracts.errors import PeftDemoError, UnknownName
from ..contracts.specs import PushSpec, RunSpec
from ..storage.names import free_name, slug
from ..vit.catalogue import Source, find
from .curve import curve
from .model_card import Described, model_card

README = "README.md"


def pack(
    push: PushSpec, files: Sequence[Path], home: Path
) -> tuple[UploadPreview, dict[str, bytes]]:
    """What is shown, and the content of every file by its name. `files` are the adapters of `push`; sends nothing.

    `home` is where registered backbones lie.
    """
    contents: dict[str, bytes] = {}
    described = [_add(contents, file, push.thumbnail, home) for file in files]
    licence = push.licence or _licence((d.card for d in described), home)
    card = model_card(push.repo, described, licence)
    contents[README] = card.encode()
    told = tuple(_told(described, push))
    files = tuple((name, len(data)) for name, data in contents.items())
    return UploadPreview(push.repo, files, card, told, _digest(contents)), contents


def _digest(contents: Mapping[str, bytes]) -> str:
    each = [f"{sha256(data).hexdigest()} {name}\n" for name, data in contents.items()]
    return sha256("".join(each).encode()).hexdigest()


def _add(contents: dict[str, bytes], file: Path, thumbnail: bool, home: Path) -> Described:
    """Puts one adapter and its picture among the contents."""
    public = published(AdapterFile.open(file), thumbnail)
    content = public.content
    card = public.card
    name = free_name(slug(file.stem), (Path(n).stem for n in contents))
    picture = curve(card)
    contents |= {f"{name}.safetensors": content} | ({f"{name}.png": picture} if picture else {})
    method = methods.find_method(card.method).card()
    source = _source(card, home)
    return Described(f"{name}.safetensors", len(content), f"{name}.png" * bool(picture), card, method,
                     source.hub if source else "")  # fmt: skip


def published(file: AdapterFile, thumbnail: bool) -> AdapterFile:
    """The adapter file as it goes out: itself, unless its card holds something that stays at home."""
    card = file.card
    public = replace(
        card, spec=_public_spec(card.spec), thumbnail=card.thumbnail if thumbnail else ""
    )
    return file if public == card else file.with_card(public)


def _public_spec(spec: Mapping) -> Mapping:
    """The spec without what is private; nothing of one that cannot be read, as nobody knows what is in it."""
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
    found = {_licence_of(_source(card, home)) for card in cards}
    return found.pop() if len(found) == 1 else ""


def _licence_of(source: Source | None) -> str:
    """A file of one's own may be under any licence, whatever timm says of its architecture."""
    if source is None or source.licence:
        return source.licence.lower() if source else ""
    return (source.hub and timm.get_pretrained_cfg(source.name).license) or ""


def _told(described: Sequence[Described], push: PushSpec) -> Iterable[str]:
    classes = list(dict.fromkeys(c for d in described for c in d.card.classes))
    yield f"The names of {len(classes)} classes: {', '.join(classes)}."
    yield "The names of the datasets, the training curves, and all else that stands on the cards."
    seen = sum(len(d.card.seen) for d in described)
    if seen:
        yield f"Hashes of {seen} training and validation images (not the images): who has an image can recognise it."
    with_picture = [d.name for d in described if d.card.thumbnail]
    if with_picture:
        yield f"A small picture of one training image each: {', '.join(with_picture)}."
    else:
        yield "No training image: the small picture that some files carry is left out."
    yield (
        "Only you and your organisation will see it."
        if push.private
        else "Everybody can see and copy it."
    )
    yield f"A model card that {push.repo} has from an earlier push is replaced; other files there stay."
