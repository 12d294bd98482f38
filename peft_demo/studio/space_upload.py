"""What a push as a Space would make public: a page that answers with one adapter, and its model."""

from collections.abc import Iterable

from ..contracts.cards import UploadPreview
from ..contracts.specs import PushSpec
from .exports import Subject
from .exports.space import space_folder
from .hub_upload import licence_of, named_classes, preview_of, visibility


def pack_space(push: PushSpec, subject: Subject) -> tuple[UploadPreview, dict[str, bytes]]:
    """What is shown, and the content of every file by its name. Sends nothing.

    Raises `CannotExport` for what no ONNX file can hold.
    """
    samples = subject.samples() if push.thumbnail else ()
    licence = push.licence or licence_of(subject.source)
    contents = space_folder(subject, samples, licence).content
    return preview_of(push, contents, _disclosures(push, subject, len(samples))), contents


def _disclosures(push: PushSpec, subject: Subject, pictures: int) -> Iterable[str]:
    yield "A page on which people classify pictures of their own; it learns nothing from them."
    yield named_classes(subject.card.classes)
    yield f"The whole model: the weights of {subject.card.backbone} and the adapter in them."
    if pictures:
        yield "Pictures of its dataset, as samples to try."
    else:
        yield "No picture of its dataset."
    yield visibility(push)
    yield f"Files of the same names that {push.repo} has from an earlier push are replaced."
