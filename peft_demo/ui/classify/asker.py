"""What the tab Classify asks and shows: the handlers behind its image and its adapters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ...contracts import service
from ...contracts.errors import CannotMerge
from .. import address, text
from ..toasts import speaking
from ..wiring import Updates, relisted
from . import samples
from .answers import EVERY, MOST, TOP
from .example import example, samples_of
from .tab import ClassifyTab, Replacement, nothing_to_ask
from .usable import usable

EMPTY = "No adapter to ask yet: train one in **Train**, or add a file in **Adapters**."


class Asker:
    """The tab's handlers. `opened_with` are the adapters that the page was built with, and the one
    chosen.
    """

    def __init__(
        self,
        tab: ClassifyTab,
        zoo: service.Zoo,
        answers: service.Answers,
        opened_with: tuple[list[str], str | None],
    ):
        self._tab = tab
        self._question = tab.question
        self._zoo = zoo
        self._answers = answers
        self._opened_with = opened_with
        self.open = speaking(self._open)
        self.list = speaking(self._list)
        self.ask = speaking(self._ask)
        self.ask_chosen = speaking(self._ask_chosen)
        self.wait = speaking(self._cleared)
        self.swap = speaking(self._swap)
        self.replace = speaking(Replacement.shown)
        self.ask_merged = speaking(self._ask_merged)
        self.show_samples = speaking(self._show_samples)
        self.take_sample = speaking(self._take_sample)

    def _open(self, request: gr.Request) -> Updates:
        """What a page shows before anything was done on it: an adapter, a picture that it was not
        trained on, and its answer.
        """
        ids = usable(self._zoo)
        asked = address.asked(request, "adapter")
        shown = example(self._zoo, self._answers, asked)
        chosen = shown.prediction.adapter if shown else next(iter(ids), None)
        if asked in ids and asked != chosen:
            return {
                self._question.adapter: gr.Dropdown(ids, value=asked),
                **self._question.empty(),
            }
        updates = self._question.empty()
        if (ids, chosen) != self._opened_with:
            updates[self._question.adapter] = gr.Dropdown(ids, value=chosen)
            updates[self._question.compare] = gr.Dropdown(ids)
        if shown is None:
            return {**updates, **self._tab.wait(samples.NEW_PHOTO if ids else EMPTY)}
        updates |= self._question.put_sample(shown.picture, self._classes(chosen))
        updates[self._question.samples] = self._show_samples(chosen)
        answer = self._tab.answers.show_first(shown.prediction)
        return {**updates, **self._tab.show(answer)}

    def _list(self, adapter: str | None, compare: list[str] | None) -> Any:
        ids = usable(self._zoo)
        asked = adapter if adapter in ids else next(iter(ids), None)
        kept = [id for id in compare or [] if id in ids and id != asked]
        return (
            relisted(gr.Dropdown, ids, adapter, asked),
            relisted(gr.Dropdown, ids, compare or [], kept),
        )

    def _ask(self, image: str | None, adapter: str | None, compare: list[str] | None) -> Updates:
        if not image:
            return self._wait(adapter)
        return self.answered(image, adapter, compare)

    def _ask_chosen(
        self,
        image: str | None,
        adapter: str | None,
        compare: list[str] | None,
        sample_of: Sequence[str] | None,
    ) -> Any:
        """The answers of adapters that were chosen elsewhere. A sample that the first of them knows
        nothing of is just making room (`_swap`), and is not asked about.
        """
        if self._is_foreign(sample_of, adapter):
            return gr.skip()
        return self._ask(image, adapter, compare)

    def answered(
        self, image: str, adapter: str | None, compare: Sequence[str] | None = ()
    ) -> Updates:
        """Updates that show what these adapters say of an image."""
        return self._said(Path(image), adapter, compare)

    def _said(
        self, image: Path | bytes, adapter: str | None, compare: Sequence[str] | None
    ) -> Updates:
        ids = [id for id in [adapter, *(compare or [])] if id]
        ids = list(dict.fromkeys(ids))[:MOST]
        if not ids:
            return self._wait(adapter)
        predictions = self._answers.classify(image, ids, TOP if len(ids) == 1 else EVERY)
        return self._tab.show(self._tab.answers.show(predictions))

    def _wait(self, adapter: str | None) -> Updates:
        hint = samples.hint(samples_of(self._zoo, adapter)) if adapter else EMPTY
        return self._tab.wait(hint)

    def _cleared(self, adapter: str | None) -> Updates:
        return {self._question.sample_of: (), **self._wait(adapter)}

    def _swap(
        self,
        image: str | None,
        adapter: str | None,
        compare: list[str] | None,
        sample_of: Sequence[str] | None,
        replacement: Replacement,
    ) -> Updates:
        """The answer of another adapter. A sample that it knows nothing of makes room for one that
        it does, or for a new photo: asked about it, an adapter could only answer nonsense.
        """
        if not adapter or not self._is_foreign(sample_of, adapter):
            return self._ask(image, adapter, compare)
        pictures = samples_of(self._zoo, adapter)
        question = self._question
        if not pictures or samples.held_out(pictures):
            emptied = {question.sample_of: (), question.replacement: replacement.next(None)}
            return {**emptied, **self._tab.wait(samples.hint(pictures))}
        first = pictures[0].picture
        return {
            question.sample_of: self._classes(adapter),
            question.replacement: replacement.next(first),
            **self._said(first, adapter, compare),
        }

    def _is_foreign(self, sample_of: Sequence[str] | None, adapter: str | None) -> bool:
        """Whether a sample with these classes stands in the image, of which the adapter knows
        nothing."""
        return bool(sample_of) and tuple(sample_of or ()) != self._classes(adapter)

    def _classes(self, adapter: str | None) -> tuple[str, ...]:
        return self._zoo.card(adapter).classes if adapter else ()

    def _ask_merged(self, image: str | None, adapter: str | None) -> Updates:
        if not image or not adapter:
            raise nothing_to_ask()
        try:
            both = self._answers.side_by_side(Path(image), adapter, TOP)
        except CannotMerge as reason:
            words = text.plain(text.sentence(str(reason)))
            return {self._tab.hint: gr.Markdown(words, visible=True)}
        return self._tab.show(self._tab.answers.show_merged(both))

    def _show_samples(self, adapter: str | None) -> gr.HTML:
        return samples.show(samples_of(self._zoo, adapter) if adapter else ())

    def _take_sample(self, adapter: str, event: gr.SelectData) -> Updates:
        sample = samples_of(self._zoo, adapter)[event.index]
        return self._question.put_sample(sample.picture, self._classes(adapter))
