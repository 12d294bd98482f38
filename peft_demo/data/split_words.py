"""What folders, lists and columns call a split: "train", "seg_train", "training_set", "x_train",
"val2017", "test1"."""

import re
from dataclasses import dataclass

_PART_OF = {
    "train": "train", "training": "train", "trn": "train", "tr": "train",
    "entrenamiento": "train", "entrainement": "train", "entraînement": "train",
    "treino": "train", "treinamento": "train", "addestramento": "train",
    "训练": "train", "训练集": "train", "訓練": "train", "学習": "train",
    "val": "val", "valid": "val", "validation": "val", "validate": "val", "vali": "val",
    "eval": "val", "evaluation": "val", "dev": "val", "devel": "val", "development": "val",
    "test": "test", "testing": "test", "tests": "test", "tst": "test", "te": "test",
    "holdout": "test", "heldout": "test",
    "prueba": "test", "pruebas": "test", "teste": "test", "prova": "test",
    "测试": "test", "测试集": "test", "測試": "test", "テスト": "test",
    "validierung": "val", "validación": "val", "validacion": "val", "validação": "val",
    "validazione": "val", "验证": "val", "验证集": "val", "驗證": "val", "検証": "val",
    "unlabeled": "unlabelled", "unlabelled": "unlabelled", "unlabel": "unlabelled",
    "unsup": "unlabelled", "unannotated": "unlabelled",
}  # fmt: skip
_DECORATION = {
    "set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "pic", "pics",
    "picture", "pictures", "photo", "photos", "split", "splits", "folder", "dir", "files", "file",
    "sample", "samples", "seg", "x", "cls", "classification", "classes", "final", "new", "raw",
    "original", "orig", "full", "small", "cropped", "crop", "crops", "resized", "jpg", "jpeg",
    "png", "rev", "the", "my", "of", "for", "list", "labels", "label", "annotations", "metadata",
    "meta", "csv", "txt", "out", "hold", "held", "challenge", "daten", "sdaten", "bilder",
    "sbilder", "satz", "menge", "smenge", "データ",
}  # fmt: skip
GENERIC = {
    "image", "images", "img", "imgs", "data", "dataset", "pictures", "photos", "pics", "jpeg",
    "jpegs", "jpegimages", "jpg", "png", "raw", "files", "classes", "all", "all_images",
}  # fmt: skip
"""Folder names that wrap class folders and mean no class."""

LEFTOVERS = {
    "unsorted", "misc", "miscellaneous", "junk", "trash", "screenshots", "results", "outputs",
    "output", "predictions", "plots", "figures", "docs", "doc", "assets", "backup", "backups",
    "old", "tmp", "temp", "archive", "duplicates", "todo", "new folder", "untitled folder",
    "unlabeled", "unlabelled",
}  # fmt: skip
"""Folder names that lie beside classes and hardly mean one."""


@dataclass(frozen=True)
class SplitName:
    """A name that says a split. `part`: "train", "val", "test", or "unlabelled"."""

    part: str
    rest: str
    """What else the name says, without decoration: "dogs" of "dogs_train", "" of "train_set"."""
    union: bool = False
    """Whether it says several splits: "trainval", "train800val200"."""


def split_name(name: str) -> SplitName | None:
    """What split a name says, None if it says none."""
    tokens = _tokens(name)
    parts = [_PART_OF[token] for token in tokens if token in _PART_OF]
    if not parts:
        return None
    rest = [t for t in tokens if t not in _PART_OF and t not in _DECORATION and not t.isdigit()]
    part = "unlabelled" if "unlabelled" in parts else parts[0]
    return SplitName(part, " ".join(rest), len(set(parts)) > 1)


def _tokens(name: str) -> list[str]:
    """Words and numbers in lower case: "seg_train" → seg train, "trainA" → train a, "trainingset" →
    training set."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+|\d+", spaced.lower())
    tokens: list[str] = []
    for word in words:
        tokens += _undone(word)
    if "out" in tokens and {"hold", "held"} & set(tokens):
        tokens.append("holdout")
    return tokens


def _undone(word: str) -> list[str]:
    """A compound taken apart: "trainset" → train set, "trainval" → train val, "xtrain" → x
    train."""
    if word in _PART_OF:
        return [word]
    for known in sorted(_PART_OF, key=len, reverse=True):
        if len(known) < 3:
            continue
        for other in (word.removeprefix(known), word.removesuffix(known)):
            if other != word and (other in _PART_OF or other in _DECORATION):
                first, second = (known, other) if word.startswith(known) else (other, known)
                return [first, second]
    return [word]
