"""Pictures as a person names them: files, folders, archives, patterns such as `photos/*.jpg`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from glob import glob, has_magic
from pathlib import Path

from ..contracts.answer import NamedPicture
from ..contracts.errors import BadData, BadImage
from ..storage.paths import expanded, is_there
from .formats import OTHERS, TABLES, suffix
from .images import read_file
from .listing import Listing, with_readable_names
from .names import natural
from .sources import sources


def find_pictures(words: Sequence[str]) -> list[NamedPicture]:
    """The pictures that these words mean, in their order, those of one word in natural order.

    A folder or an archive is looked through with all its folders; what is no picture by its name
    (tables, texts, videos) is passed over. A word that means nothing is a picture that cannot be
    read.
    """
    return [picture for word in words for picture in _find(word)]


def sent_pictures(files: Sequence[Path]) -> list[NamedPicture]:
    """The pictures in files that somebody has sent, archives looked through, in natural order.

    They are named as they were sent, without the place where they are stored. Of several files,
    what is no picture by its name is passed over.
    """
    chosen = [file for file in files if len(files) == 1 or _may_be_picture(file.name)]
    pictures = [picture for file in chosen for picture in _in_sent(file)]
    return sorted(pictures, key=lambda picture: natural(picture.name))


def _in_sent(file: Path) -> Iterator[NamedPicture]:
    for picture in _at(str(file)):
        inside = picture.name.removeprefix(str(file))
        yield NamedPicture(f"{file.name}{inside}", picture.read)


def _may_be_picture(name: str) -> bool:
    return suffix(name) not in TABLES | OTHERS


def _find(word: str) -> Iterator[NamedPicture]:
    path = expanded(word)
    if is_there(path) or not has_magic(word):
        yield from _at(word)
        return
    matches = sorted(glob(str(path), recursive=True), key=natural)
    if not matches:
        yield _unreadable(word, "no file matches this pattern.")
    for match in matches:
        yield from _at(match)


def _at(word: str) -> Iterator[NamedPicture]:
    """The pictures at a path: of a folder or an archive those inside, else the file itself."""
    for source in sources().values():
        if source.list and source.parse(word) is not None:
            yield from _inside(word, source.list)
            return
    yield NamedPicture(word, partial(read_file, expanded(word)))


def _inside(word: str, list_files: Callable[[Path], Listing]) -> Iterator[NamedPicture]:
    try:
        listing = with_readable_names(list_files(expanded(word)))
    except BadData as error:
        yield _unreadable(word, str(error))
        return
    root = word.rstrip("/\\")
    pictures = [
        NamedPicture(f"{root}/{file.name}", file.read)
        for file in listing.files
        if _may_be_picture(file.parts[-1])
    ]
    pictures += [
        _unreadable(f"{root}/{'/'.join(parts)}", reason) for parts, reason in listing.rejected
    ]
    if not pictures:
        yield _unreadable(word, "there is no picture in it.")
    yield from sorted(pictures, key=lambda picture: natural(picture.name))


def _unreadable(name: str, reason: str) -> NamedPicture:
    def refuse() -> bytes:
        raise BadImage(reason)

    return NamedPicture(name, refuse)
