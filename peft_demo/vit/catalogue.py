"""Which backbones there are: the bundled one, those registered from local files, and a choice of timm's to download.

Any other timm ViT, DINOv3 or Swin works by its name too. A registered backbone is two files under `<home>/backbones`,
named by its fingerprint: the weights as they came, and a small JSON that says which architecture they fill.
"""

import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import timm
import torch

from ..contracts.cards import BackboneCard
from ..contracts.errors import BadBackbone, UnknownName
from ..storage.atomic import atomic_write
from ..storage.header import read_header
from .anatomy import Anatomy, expose, inspect_anatomy
from .fingerprint import fingerprint

BUNDLED = Path(__file__).parent / "bundled"
HEADER_LIMIT = 4_000_000
"""Bytes; the header of a 40-block ViT takes about 60 kB."""

SUGGESTED = {
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k": ("ViT-Ti/16, AugReg", 5_524_416, "Apache-2.0"),
    "vit_small_patch16_224.augreg_in21k_ft_in1k": ("ViT-S/16, AugReg", 21_665_664, "Apache-2.0"),
    "vit_base_patch16_224.augreg_in21k": (
        "ViT-B/16, AugReg ImageNet-21k",
        85_798_656,
        "Apache-2.0",
    ),
    "vit_base_patch16_224.orig_in21k": (
        "ViT-B/16, original ImageNet-21k (as in the papers)",
        85_798_656,
        "Apache-2.0",
    ),
    "deit3_small_patch16_224.fb_in22k_ft_in1k": ("DeiT III-S/16", 21_674_496, "Apache-2.0"),
    "vit_small_patch14_dinov2.lvd142m": ("DINOv2 ViT-S/14, 518 px", 22_056_192, "Apache-2.0"),
    "vit_small_patch14_reg4_dinov2.lvd142m": (
        "DINOv2 ViT-S/14 with registers, 518 px",
        22_057_344,
        "Apache-2.0",
    ),
    "swin_base_patch4_window7_224.ms_in22k": (
        "Swin-B, ImageNet-22k (as in the papers)",
        86_743_224,
        "MIT",
    ),
}
"""timm name → (title, parameters, licence). Downloads offered by name; the rest of these families works too."""


@dataclass(frozen=True)
class Source:
    """Where a backbone's weights come from and what they fill. `file` is None for a download."""

    name: str
    title: str
    arch: str
    file: Path | None = None
    kwargs: tuple[tuple[str, object], ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    interpolation: str = ""
    licence: str = ""
    fingerprint: str = ""
    bundled: bool = False

    @property
    def hub(self) -> str:
        """The repository of the Hugging Face Hub that holds these very weights, "" for what came as a file."""
        if self.file or not timm.is_model_pretrained(self.name):
            return ""
        return timm.get_pretrained_cfg(self.name).hf_hub_id or ""

    def empty(self) -> torch.nn.Module:
        """The architecture on the meta device, without a head: shapes, no memory."""
        with torch.device("meta"):
            return timm.create_model(
                self.arch, pretrained=False, num_classes=0, **dict(self.kwargs)
            )


def bundled() -> Source:
    """The backbone that ships with the project, the default."""
    file = next(BUNDLED.glob("*.safetensors"), None)
    if file is None:
        raise BadBackbone(
            "the bundled backbone is missing from this installation.",
            "Reinstall, or name another one.",
        )
    about = json.loads(read_header(file, HEADER_LIMIT, BadBackbone).metadata["peft_demo_backbone"])
    return _source(about, file, bundled=True)


def registered(home: Path) -> list[Source]:
    """The backbones added from local files, by name."""
    notes = sorted((home / "backbones").glob("*.json"))
    sources = [
        _source(json.loads(n.read_text("utf-8")), n.with_suffix(".safetensors")) for n in notes
    ]
    return sorted((s for s in sources if s.file.is_file()), key=lambda s: s.name)


def find(name: str, home: Path, fingerprint: str = "") -> Source:
    """The backbone of this name ("" is the bundled one); a `fingerprint` finds a local one whatever it is called."""
    local = [bundled(), *registered(home)]
    for source in local:
        if fingerprint and _print_of(source) == fingerprint:
            return source
    for source in local:
        if source.name == name or (not name and source.bundled):
            return source
    if name in _timm_names():
        title, _, licence = SUGGESTED.get(name, (name, 0, ""))
        return Source(name, title, arch=name, licence=licence)
    raise UnknownName("backbone", name, [*(s.name for s in local), *SUGGESTED])


def cards(home: Path) -> list[BackboneCard]:
    """What to choose from: bundled, registered, then suggested downloads."""
    local = [_local_card(s) for s in (bundled(), *registered(home))]
    return local + [
        _download_card(n, *about)
        for n, about in SUGGESTED.items()
        if n not in {c.name for c in local}
    ]


@lru_cache
def anatomy_of(source: Source, size: int = 0) -> Anatomy:
    """The anatomy of a backbone without its weights, at `size` px (0: its own)."""
    model = source.empty()
    if size:
        model.set_input_size(img_size=resolution(model, size))
    return inspect_anatomy(expose(model), source.arch)


def resolution(model: torch.nn.Module, size: int) -> tuple[int, int]:
    """`size` as an input size the patches divide, merged ones too; `BadBackbone` otherwise."""
    patch = model.patch_embed.patch_size[0] * 2 ** _mergers(model)
    if size % patch or not patch <= size <= 1024:
        near = max(patch, round(size / patch) * patch)
        raise BadBackbone(
            f"{size} px cannot be cut into patches of {patch} px.", f"Try {min(near, 1024)}."
        )
    return size, size


def _mergers(model: torch.nn.Module) -> int:
    """How often four patches become one on the way: between the stages of a Swin."""
    return len(model.layers) - 1 if hasattr(model, "layers") else 0


def register(file: Path, home: Path, arch: str = "", name: str = "") -> BackboneCard:
    """Checks a local timm checkpoint and keeps a copy under `home`, where every command and the page find it.

    `arch` is a timm name; empty, it is guessed from the file's name. `BadBackbone` says what does not fit.
    """
    file, arch = Path(file), arch or guess_arch(Path(file))
    if arch not in _timm_names():
        raise UnknownName("timm architecture", arch, timm.list_models(["vit*", "deit*", "swin_*"]))
    source = Source(name or arch, f"{arch}, from {file.name}", arch, file)
    anatomy_of(source)
    source = replace(source, fingerprint=fingerprint(read_tensors(source)))
    _keep(source, home / "backbones")
    return _local_card(find(source.name, home, source.fingerprint))


def guess_arch(file: Path) -> str:
    """The timm name a file's name starts with; `BadBackbone` asks for `--arch` if there is none."""
    name = file.name
    fitting = [
        n for n in _timm_names() if name.startswith(n) and not re.match(r"\w", name[len(n) :])
    ]
    if not fitting:
        raise BadBackbone(
            f"which architecture {file.name} fills cannot be told from its name.",
            "Add --arch NAME.",
        )
    return max(fitting, key=len)


def read_tensors(source: Source) -> dict[str, torch.Tensor]:
    """The backbone's tensors from its file, head left out; names and shapes are checked before a tensor is read."""
    from safetensors import safe_open

    header = read_header(source.file, HEADER_LIMIT, BadBackbone)
    expected = {n: tuple(p.shape) for n, p in source.empty().state_dict().items()}
    _check_names(source, header, expected)
    with safe_open(source.file, "pt") as f:
        return {name: f.get_tensor(name) for name in expected}


def _check_names(source: Source, header, expected) -> None:
    heads = _head_names(source.arch)
    found = {n for n in header.tensors if n.split(".")[0] not in heads or n in expected}
    for word, names in (
        ("lacks", set(expected) - found),
        ("has an unexpected", found - set(expected)),
    ):
        if names:
            raise BadBackbone(
                f"{source.file.name} is not a {source.arch}: it {word} {min(names)!r}.",
                _and_more(names),
            )
    for name, shape in expected.items():
        dtype, came = header.tensors[name]
        if came != shape or dtype not in ("F32", "F16", "BF16"):
            raise BadBackbone(
                f"{source.file.name} is not a {source.arch}: {name} is {dtype} {list(came)}, expected {list(shape)}."
            )


def _and_more(names) -> str:
    return f"({len(names)} such tensors.)" if len(names) > 1 else ""


def _head_names(arch: str) -> set[str]:
    classifier = timm.get_pretrained_cfg(arch).classifier
    names = classifier if isinstance(classifier, list | tuple) else [classifier or "head"]
    return {n.split(".")[0] for n in names}


def _keep(source: Source, folder: Path) -> None:
    about = {
        k: v for k, v in asdict(source).items() if k in ("name", "title", "arch", "fingerprint")
    }
    target = folder / f"{source.fingerprint[:32]}.safetensors"
    with atomic_write(target) as draft:
        shutil.copyfile(source.file, draft)
    with atomic_write(target.with_suffix(".json")) as draft:
        draft.write_text(json.dumps(about, indent=1), "utf-8")


def _source(about: dict, file: Path, bundled: bool = False) -> Source:
    known = ("name", "title", "arch", "interpolation", "licence", "fingerprint")
    return Source(
        **{k: about[k] for k in known if k in about},
        file=file,
        kwargs=tuple(sorted(about.get("kwargs", {}).items())),
        mean=tuple(about.get("mean", ())),
        std=tuple(about.get("std", ())),
        bundled=bundled,
    )


def _print_of(source: Source) -> str:
    return source.fingerprint or _fingerprint_of_file(source, source.file.stat().st_mtime_ns)


@lru_cache
def _fingerprint_of_file(source: Source, changed: int) -> str:
    return fingerprint(read_tensors(source))


@lru_cache
def _timm_names() -> frozenset[str]:
    return frozenset(timm.list_models()) | frozenset(timm.list_pretrained())


def _local_card(source: Source) -> BackboneCard:
    anatomy = anatomy_of(source)
    return BackboneCard(
        name=source.name,
        title=source.title,
        source="bundled" if source.bundled else "registered",
        size=anatomy.grid[0] * anatomy.patch,
        parameters=anatomy.parameters,
        megabytes=source.file.stat().st_size / 1e6,
        licence=source.licence,
        fingerprint=_print_of(source),
    )


def _download_card(name: str, title: str, parameters: int, licence: str) -> BackboneCard:
    size = timm.get_pretrained_cfg(name).input_size[-1]
    ready = _cached(name)
    return BackboneCard(
        name, title, "download", size, parameters, 4 * parameters / 1e6, licence, ready
    )


def _cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    repo = timm.get_pretrained_cfg(name).hf_hub_id
    return bool(repo) and isinstance(try_to_load_from_cache(repo, "model.safetensors"), str)
