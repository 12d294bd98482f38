"""What a push would make public: the adapter files, a curve picture of each, and the model card.

Pushed copies say less than the files at home: the thumbnail stays behind unless asked for, and the key of an upload or
of class cards is replaced by a plain word. The key of class cards is the browser's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import timm

from .. import adapters, methods
from ..contracts.cards import AdapterCard, BackboneCard, Parcel
from ..contracts.specs import PushSpec
from .curve import curve
from .home import free, slug
from .model_card import Described, model_card

README = "README.md"


def pack(push: PushSpec, files: Sequence[Path], known: Sequence[BackboneCard]) -> tuple[Parcel, dict[str, bytes]]:
    """What is shown, and the content of every file by its name. `files` are the adapters of `push`; sends nothing."""
    contents: dict[str, bytes] = {}
    described = [_add(contents, file, push.thumbnail, known) for file in files]
    licence = push.licence or _licence((d.card for d in described), known)
    card = model_card(push.repo, described, licence)
    contents[README] = card.encode()
    told = tuple(_told(described, push))
    return Parcel(push.repo, tuple((name, len(data)) for name, data in contents.items()), card, told), contents


def _add(contents: dict[str, bytes], file: Path, thumbnail: bool, known: Sequence[BackboneCard]) -> Described:
    """Puts one adapter and its picture among the contents."""
    content = published(file, thumbnail)
    card = adapters.read_card(content)
    name = free(slug(file.stem), (Path(n).stem for n in contents))
    picture = curve(card)
    contents |= {f"{name}.safetensors": content} | ({f"{name}.png": picture} if picture else {})
    method = methods.method(card.method).card()
    return Described(f"{name}.safetensors", len(content), f"{name}.png" * bool(picture), card, method,
                     base_model(card, known))  # fmt: skip


def published(file: Path, thumbnail: bool) -> bytes:
    """The adapter file as it goes out: the very bytes, unless its card holds something that stays at home."""
    card = adapters.read_card(file)
    public = replace(card, spec=_public(card.spec), thumbnail=card.thumbnail if thumbnail else "")
    return file.read_bytes() if public == card else adapters.with_card(file, public)


def _public(spec: Mapping) -> Mapping:
    data = spec.get("data")
    source = str(data.get("source")) if isinstance(data, Mapping) else ""
    word = {"draft": "photos", "upload": "photos.zip"}.get(source)
    return {**spec, "data": {**data, "name": word}} if word else spec


def base_model(card: AdapterCard, known: Sequence[BackboneCard]) -> str:
    """The Hub repository of the backbone's weights, "" for the bundled one and for what is only a file here."""
    name = card.backbone
    if not timm.is_model_pretrained(name) or ("." not in name and name in [b.name for b in known]):
        return ""
    return timm.get_pretrained_cfg(name).hf_hub_id or ""


def _licence(cards: Iterable[AdapterCard], known: Sequence[BackboneCard]) -> str:
    """That of the backbones if they agree on one, else ""."""
    found = {_licence_of(card, known) for card in cards}
    return found.pop() if len(found) == 1 else ""


def _licence_of(card: AdapterCard, known: Sequence[BackboneCard]) -> str:
    for backbone in known:
        if backbone.licence and card.fingerprint == backbone.fingerprint:
            return backbone.licence.lower()
    about = timm.get_pretrained_cfg(card.backbone) if timm.is_model_pretrained(card.backbone) else None
    return (about and about.license) or ""


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
    yield "Only you and your organisation will see it." if push.private else "Everybody can see and copy it."
    yield f"A model card that {push.repo} has from an earlier push is replaced; other files there stay."
