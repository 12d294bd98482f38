"""The Hugging Face Hub on the page: what a push makes public is shown first; what others share can be taken.

On a Space each visitor acts in their own name, with the token of their login; nothing here keeps it.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from ..contracts.cards import UploadPreview, ZooEntry
from ..contracts.errors import BadValue
from ..contracts.service import Service
from ..contracts.specs import PushSpec
from . import text
from .toasts import QUEUED, UNQUEUED, speaking

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
WATCHED = QUEUED | {"show_progress": "full"}

ABOUT = "Puts adapters and a model card into a model repository of yours. Nothing is sent before you have seen it."
OFFLINE = "The app runs offline: nothing can be sent to the Hub or taken from it. Start it without `--offline`."
LOOK = "Takes adapters from a model repository. Every file is checked as one that you drop here."


@dataclass(frozen=True)
class Share:
    repo: gr.Textbox
    licence: gr.Textbox
    every: gr.Checkbox
    private: gr.Checkbox
    thumbnail: gr.Checkbox
    show: gr.Button
    shown: gr.Column
    agreed: gr.State
    """The `PushSpec` and the digest of the parcel on the page, None if there is none: only this can be pushed."""
    disclosures: gr.Markdown
    card: gr.Code
    push: gr.Button
    done: gr.Markdown

    @property
    def form(self) -> list:
        return [self.repo, self.licence, self.every, self.private, self.thumbnail]

    @property
    def outputs(self) -> list:
        return [self.shown, self.agreed, self.disclosures, self.card, self.done]


@dataclass(frozen=True)
class Get:
    repo: gr.Textbox
    found: gr.CheckboxGroup
    take: gr.Button


def build(service: Service) -> Share:
    """Draws the part that shares the chosen adapter into the open context."""
    with gr.Accordion("Share on the Hub", open=False, elem_id="share"):
        gr.Markdown(OFFLINE if service.offline else ABOUT)
        with gr.Row():
            repo = gr.Textbox(
                label="Repository", placeholder="OWNER/NAME", max_length=200, elem_id="share-repo"
            )
            licence = gr.Textbox(label="Licence", placeholder="that of the backbone", max_length=40)
        with gr.Row():
            every = gr.Checkbox(
                False, label="All my adapters, not this one alone", elem_id="share-every"
            )
            private = gr.Checkbox(False, label="Private: only I can see it")
            thumbnail = gr.Checkbox(
                False, label="Include the small training image, if the file has one"
            )
        show = gr.Button("Show what becomes public", elem_id="share-show")
        with gr.Column(visible=False) as shown:
            disclosures = gr.Markdown(elem_id="share-told")
            with gr.Accordion("The model card (README.md)", open=False):
                card = gr.Code(
                    "", language="markdown", interactive=False, show_label=False, max_lines=20
                )
            push = gr.Button(
                "Push", variant="primary", interactive=not service.offline, elem_id="share-push"
            )
        done = gr.Markdown(elem_id="share-done")
    return Share(
        repo,
        licence,
        every,
        private,
        thumbnail,
        show,
        shown,
        gr.State(None),
        disclosures,
        card,
        push,
        done,
    )


def build_get(service: Service) -> Get:
    """Draws the part that takes adapters from the Hub."""
    with gr.Accordion("Get from the Hub", open=False, elem_id="get"):
        gr.Markdown(OFFLINE if service.offline else LOOK)
        repo = gr.Textbox(
            label="Repository",
            placeholder="OWNER/NAME",
            max_length=200,
            submit_btn="Look",
            elem_id="get-repo",
        )
        found = gr.CheckboxGroup([], label="Adapters in it", visible=False, elem_id="get-found")
        take = gr.Button("Add to my adapters", visible=False, elem_id="get-take")
    return Get(repo, found, take)


def wire(service: Service, tab: Share, chosen: gr.State, stamp: gr.State) -> None:
    """Connects the part that shares; whatever changes what would be sent takes the preview away."""
    tab.show.click(_previewer(service, tab), [chosen, *tab.form], tab.outputs, **QUEUED)
    tab.push.click(_pusher(service), tab.agreed, tab.done, **WATCHED)
    changes = [part.change for part in (*tab.form, chosen, stamp)]
    gr.on(changes, speaking(lambda: _nothing(tab)), None, tab.outputs, **UNQUEUED)


def wire_get(
    service: Service, tab: Get, taken: Callable[[str, int], dict], stamp: gr.State, outputs: list
) -> None:
    """Connects the part that gets; `taken` gives the updates that show the adapter with this id in a changed zoo."""
    tab.repo.submit(_looker(service), tab.repo, [tab.found, tab.take], **WATCHED)
    tab.repo.change(_hidden, None, [tab.found, tab.take], **UNQUEUED)
    tab.take.click(_taker(service, taken), [tab.repo, tab.found, stamp], outputs, **WATCHED)


def _previewer(service: Service, tab: Share):
    def preview(
        id: str, repo: str, licence: str, every: bool, private: bool, thumbnail: bool
    ) -> dict:
        spec = PushSpec(
            _own(service) if every else (id,), repo, private, licence.strip().lower(), thumbnail
        )
        parcel = service.hub.preview(spec)
        found = {
            tab.shown: gr.Column(visible=True),
            tab.agreed: (spec, parcel.digest),
            tab.done: "",
        }
        return found | {tab.disclosures: describe(parcel), tab.card: parcel.card}

    return speaking(preview)


def _own(service: Service) -> tuple[str, ...]:
    """A person's own adapters, those whose card can be read."""
    return tuple(entry.id for entry in service.zoo.entries() if entry.card and not entry.shipped)


def _pusher(service: Service):
    def push(
        agreed: tuple[PushSpec, str] | None, visitor: gr.OAuthToken | None, progress=PROGRESS
    ) -> str:
        if agreed is None:
            return ""
        token = visitor.token if visitor else ""
        spec, digest = agreed
        address = service.hub.push(
            spec, token, lambda what, done: progress(done, desc=what), digest
        )
        return f"Pushed: [{text.plain(address)}]({address})"

    return speaking(push)


def _looker(service: Service):
    def look(repo: str, visitor: gr.OAuthToken | None) -> tuple:
        entries = service.hub.adapters(repo, token=visitor.token if visitor else "")
        usable = [(_label(e), e.id) for e in entries if not e.refusal]
        if not usable:
            gr.Warning("No adapter in it that can be taken.", title="Note")
            return _hidden()
        if refused := [e for e in entries if e.refusal]:
            first = html.escape(f"{refused[0].id}: {refused[0].refusal}")
            gr.Warning(
                f"{text.plural(len(refused), 'file')} cannot be taken. {first}", title="Note"
            )
        return gr.CheckboxGroup(usable, value=[id for _, id in usable], visible=True), gr.Button(
            visible=True
        )

    return speaking(look)


def _taker(service: Service, taken: Callable[[str, int], dict]):
    def take(
        repo: str, names: list[str], stamp: int, visitor: gr.OAuthToken | None, progress=PROGRESS
    ) -> dict:
        if not names:
            raise BadValue("no adapter is ticked.", "Tick those you want.")
        token = visitor.token if visitor else ""
        ids = service.hub.pull(
            repo, names, token=token, report=lambda what, done: progress(done, desc=what)
        )
        gr.Info(f"{text.plural(len(ids), 'adapter')} added.")
        return taken(ids[0], stamp)

    return speaking(take)


def describe(parcel: UploadPreview) -> str:
    """Markdown: what would be sent and what can be read from it, every word as text."""
    files = [f"- {text.plain(name)}, {text.size(octets)}" for name, octets in parcel.files]
    lines = [
        f"**To {text.plain(parcel.repo)}** go these files:",
        "",
        *files,
        "",
        "In them can be read:",
        "",
    ]
    return "\n".join([*lines, text.bullets(parcel.disclosures)])


def _label(entry: ZooEntry) -> str:
    card = entry.card
    return f"{entry.id} ({card.method}, {text.plural(len(card.classes), 'class')}, {text.size(entry.file_bytes)})"


def _nothing(tab: Share) -> dict:
    return {
        tab.shown: gr.Column(visible=False),
        tab.agreed: None,
        tab.disclosures: "",
        tab.card: "",
        tab.done: "",
    }


def _hidden() -> tuple:
    return gr.CheckboxGroup([], value=[], visible=False), gr.Button(visible=False)
