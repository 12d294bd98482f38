"""Which backbones there are: the bundled one, registered ones, and timm's downloads."""

from pathlib import Path
from typing import NamedTuple

from ..contracts.cards import BackboneCard
from ..contracts.errors import BadBackbone, PeftDemoError, UnknownName
from .download import is_downloaded
from .local import bundled, damaged, damaged_card, local_card, registered
from .source import Source, timm_names


class Suggestion(NamedTuple):
    """A download that is offered by name."""

    title: str
    size: int
    """Image side, pixels."""
    parameters: int
    licence: str


SUGGESTED = {
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k": Suggestion(
        "ViT-Ti/16, AugReg", 224, 5_524_416, "Apache-2.0"
    ),
    "vit_small_patch16_224.augreg_in21k_ft_in1k": Suggestion(
        "ViT-S/16, AugReg", 224, 21_665_664, "Apache-2.0"
    ),
    "vit_base_patch16_224.augreg_in21k": Suggestion(
        "ViT-B/16, AugReg ImageNet-21k", 224, 85_798_656, "Apache-2.0"
    ),
    "vit_base_patch16_224.orig_in21k": Suggestion(
        "ViT-B/16, original ImageNet-21k (as in the papers)", 224, 85_798_656, "Apache-2.0"
    ),
    "deit3_small_patch16_224.fb_in22k_ft_in1k": Suggestion(
        "DeiT III-S/16", 224, 21_674_496, "Apache-2.0"
    ),
    "vit_small_patch14_dinov2.lvd142m": Suggestion(
        "DINOv2 ViT-S/14, 518 px", 518, 22_056_192, "Apache-2.0"
    ),
    "vit_small_patch14_reg4_dinov2.lvd142m": Suggestion(
        "DINOv2 ViT-S/14 with registers, 518 px", 518, 22_057_344, "Apache-2.0"
    ),
    "swin_base_patch4_window7_224.ms_in22k": Suggestion(
        "Swin-B, ImageNet-22k (as in the papers)", 224, 86_743_224, "MIT"
    ),
}
"""timm name → the download. Any other ViT, DINOv3 or Swin of timm's works by its name too."""


def find(name: str, home: Path, fingerprint: str = "") -> Source:
    """The backbone called `name` ("" is the bundled one); `UnknownName` if there is none.

    A `fingerprint` finds a bundled or registered one whatever it is called. `BadBackbone` for a
    registered one whose record is damaged.
    """
    local = [bundled(), *registered(home)]
    for source in local:
        if fingerprint and source.fingerprint == fingerprint:
            return source
    for source in local:
        if source.name == name or (not name and source.bundled):
            return source
    for card in damaged(home):
        if card.name == name:
            raise BadBackbone(card.refusal)
    if name in timm_names():
        suggestion = SUGGESTED.get(name, Suggestion(name, 0, 0, ""))
        return Source(name, suggestion.title, arch=name, licence=suggestion.licence)
    raise UnknownName("backbone", name, [*(source.name for source in local), *SUGGESTED])


def cards(home: Path) -> list[BackboneCard]:
    """What to choose from: bundled, registered, damaged ones, then suggested downloads."""
    local = [_card(source) for source in (bundled(), *registered(home))] + damaged(home)
    taken = {card.name for card in local}
    downloads = [_download_card(name) for name in SUGGESTED if name not in taken]
    return local + downloads


def _card(source: Source) -> BackboneCard:
    """The card of a local backbone; its refusal says what is wrong with it."""
    try:
        return local_card(source)
    except PeftDemoError as error:
        return damaged_card(source.name, str(error))


def _download_card(name: str) -> BackboneCard:
    suggestion = SUGGESTED[name]
    return BackboneCard(
        name=name,
        title=suggestion.title,
        source="download",
        size=suggestion.size,
        parameters=suggestion.parameters,
        megabytes=4 * suggestion.parameters / 1e6,
        licence=suggestion.licence,
        ready=is_downloaded(f"timm/{name}"),
    )
