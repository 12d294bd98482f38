"""Takes in pictures that were pasted, dropped or chosen: one becomes the image, many the table."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from ...contracts.answer import NamedPicture
from ...contracts.service import Data
from ..files import hand_out
from ..toasts import speaking, speaking_often
from ..wiring import Updates
from .asker import Asker
from .many import Many, ManyAsker
from .shown import shown
from .tab import Question, Replacement


class Taker:
    """Handlers. A picture that cannot be read changes nothing but says why."""

    def __init__(
        self, question: Question, many: Many, asker: Asker, many_asker: ManyAsker, data: Data
    ):
        self._question = question
        self._many = many
        self._asker = asker
        self._many_asker = many_asker
        self._data = data
        self.take = speaking_often(self._take)
        self.take_uploaded = speaking(self._take_uploaded)
        self.choose = speaking(self._choose)

    def _take(
        self,
        files: list[str],
        adapter: str | None,
        compare: list[str] | None,
        replacement: Replacement,
        order: str,
    ) -> Iterator[Updates]:
        """What came by the inbox."""
        sent = [Path(file) for file in files]
        pictures = self._data.sent(sent)
        if len(pictures) == 1:
            updates = self._ask(pictures[0], adapter, compare, replacement)
            yield {**updates, **self._many.hide()}
        else:
            yield from self._many_asker.answer(pictures, sent, adapter, order)

    def _take_uploaded(
        self, image: str, adapter: str | None, compare: list[str] | None, replacement: Replacement
    ) -> Updates:
        """What was put into the image by its own button is asked about; a copy takes its place
        where a browser cannot show it.
        """
        updates = {**self._asker.answered(image, adapter, compare), self._question.sample_of: ()}
        copy = shown(Path(image), self._data)
        if copy != Path(image):
            updates[self._question.replacement] = replacement.next(copy)
        return updates

    def _choose(
        self,
        sent: Sequence[Path],
        adapter: str | None,
        compare: list[str] | None,
        replacement: Replacement,
        event: gr.SelectData,
    ) -> Updates:
        """One of the many pictures becomes the image."""
        picture = self._data.sent(sent)[event.index]
        return self._ask(picture, adapter, compare, replacement)

    def _ask(
        self,
        picture: NamedPicture,
        adapter: str | None,
        compare: list[str] | None,
        replacement: Replacement,
    ) -> Updates:
        file = Path(hand_out(Path(picture.name).name, picture.read()))
        image = shown(file, self._data)
        return {
            **self._asker.answered(str(file), adapter, compare),
            self._question.replacement: replacement.next(image),
            self._question.sample_of: (),
        }
