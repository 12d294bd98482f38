"""Get from the Hub: takes adapters that others share in a model repository."""

import html
from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import ZooEntry
from ...contracts.errors import BadValue
from ...contracts.service import Hub
from .. import text
from ..toasts import reporter, speaking
from ..wiring import UNQUEUED, WATCHED, Updates
from .added import Added
from .share import OFFLINE

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
LOOK = "Takes adapters from a model repository. Every file is checked as one that you drop here."


@dataclass(frozen=True)
class Get:
    repo: gr.Textbox
    names: gr.CheckboxGroup
    take: gr.Button


def build(offline: bool) -> Get:
    """Draws this part into the open context."""
    with gr.Accordion("Get from the Hub", open=False, elem_id="get"):
        gr.Markdown(OFFLINE if offline else LOOK)
        repo = gr.Textbox(
            label="Repository",
            placeholder="OWNER/NAME",
            max_length=200,
            submit_btn="Look",
            elem_id="get-repo",
        )
        names = gr.CheckboxGroup([], label="Adapters in it", visible=False, elem_id="get-found")
        take = gr.Button("Add to my adapters", visible=False, elem_id="get-take")
    return Get(repo, names, take)


def connect(part: Get, added: Added, hub: Hub) -> None:
    """Connects the events; another repository name takes the list away."""
    listed = [part.names, part.take]
    part.repo.submit(looker(hub), part.repo, listed, **WATCHED)
    part.repo.change(_hidden, None, listed, **UNQUEUED)
    part.take.click(
        taker(added, hub), [part.repo, part.names, added.zoo_changed], added.outputs, **WATCHED
    )


def looker(hub: Hub):
    """The handler that lists the adapters of a repository."""

    @speaking
    def look(repo: str, visitor: gr.OAuthToken | None) -> tuple[gr.CheckboxGroup, gr.Button]:
        entries = hub.adapters(repo, token=visitor.token if visitor else "")
        usable = [entry for entry in entries if not entry.refusal]
        if not usable:
            gr.Warning("No adapter in it that can be taken.", title="Note")
            return _hidden()
        _warn_of([entry for entry in entries if entry.refusal])
        choices = [(_label(entry), entry.id) for entry in usable]
        ids = [entry.id for entry in usable]
        return gr.CheckboxGroup(choices, value=ids, visible=True), gr.Button(visible=True)

    return look


def _warn_of(refused: list[ZooEntry]) -> None:
    if not refused:
        return
    first = html.escape(f"{refused[0].id}: {refused[0].refusal}")
    files = text.plural(len(refused), "file")
    gr.Warning(f"{files} cannot be taken. {first}", title="Note")


def taker(added: Added, hub: Hub):
    """The handler that takes the ticked adapters and shows the first of them."""

    @speaking
    def take(
        repo: str,
        names: list[str],
        counter: int,
        visitor: gr.OAuthToken | None,
        progress: gr.Progress = PROGRESS,
    ) -> Updates:
        if not names:
            raise BadValue("no adapter is ticked.", "Tick those you want.")
        token = visitor.token if visitor else ""
        ids = hub.pull(repo, names, token=token, report=reporter(progress))
        gr.Info(f"{text.plural(len(ids), 'adapter')} added.")
        return added.show(ids[0], counter)

    return take


def _label(entry: ZooEntry) -> str:
    if entry.card is None:
        return entry.id
    classes = text.plural(len(entry.card.classes), "class")
    return f"{entry.id} ({entry.card.method}, {classes}, {text.size(entry.file_bytes)})"


def _hidden() -> tuple[gr.CheckboxGroup, gr.Button]:
    return gr.CheckboxGroup([], value=[], visible=False), gr.Button(visible=False)
