"""Share on the Hub: what a push makes public is shown first, and only that can be pushed.

On a Space each visitor acts in their own name, with the token of their login; nothing here keeps
it.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...contracts.cards import UploadPreview
from ...contracts.errors import BadValue
from ...contracts.service import Hub, Zoo
from ...contracts.specs import PushSpec
from .. import text
from ..toasts import reporter, speaking
from ..wiring import QUEUED, UNQUEUED, WATCHED, Part, Updates

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
ABOUT = (
    "Puts adapters and a model card into a model repository of yours, or makes a Space of one: a "
    "page of its own that answers. "
    "Nothing is sent before you have seen it."
)
OFFLINE = (
    "The app runs offline: nothing can be sent to the Hub or taken from it. "
    "Start it without `--offline`."
)

Agreed = tuple[PushSpec, str]
"""What is to be pushed, and the digest of the preview that a person has seen."""


@dataclass(frozen=True)
class Preview:
    column: gr.Column
    agreed: gr.State
    """The `Agreed` of the preview on the page, None if there is none: only this can be pushed."""
    disclosures: gr.Markdown
    card: gr.Code
    push: gr.Button
    outcome: gr.Markdown

    @property
    def outputs(self) -> list[Part]:
        return [self.column, self.agreed, self.disclosures, self.card, self.outcome]

    def show(self, spec: PushSpec, preview: UploadPreview) -> Updates:
        """Updates that show what a push would make public."""
        return {
            self.column: gr.Column(visible=True),
            self.agreed: (spec, preview.digest),
            self.disclosures: describe(preview),
            self.card: preview.card,
            self.outcome: "",
        }

    def clear(self) -> Updates:
        """Updates that take the preview away."""
        return {
            self.column: gr.Column(visible=False),
            self.agreed: None,
            self.disclosures: "",
            self.card: "",
            self.outcome: "",
        }


@dataclass(frozen=True)
class Share:
    repo: gr.Textbox
    licence: gr.Textbox
    every: gr.Checkbox
    private: gr.Checkbox
    thumbnail: gr.Checkbox
    space: gr.Checkbox
    show: gr.Button
    preview: Preview

    @property
    def form(self) -> list[gr.Textbox | gr.Checkbox]:
        return [self.repo, self.licence, self.every, self.private, self.thumbnail, self.space]


def build(offline: bool) -> Share:
    """Draws this part into the open context."""
    with gr.Accordion("Share on the Hub", open=False, elem_id="share"):
        gr.Markdown(OFFLINE if offline else ABOUT)
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
                False, label="Include pictures: a small training image, samples of a Space"
            )
            space = gr.Checkbox(
                False, label="As a Space: a page that answers", elem_id="share-space"
            )
        show = gr.Button("Show what becomes public", elem_id="share-show")
        preview = _preview(offline)
    return Share(repo, licence, every, private, thumbnail, space, show, preview)


def _preview(offline: bool) -> Preview:
    with gr.Column(visible=False) as column:
        disclosures = gr.Markdown(elem_id="share-told")
        with gr.Accordion("The model card (README.md)", open=False):
            card = gr.Code(
                "", language="markdown", interactive=False, show_label=False, max_lines=20
            )
        push = gr.Button("Push", variant="primary", interactive=not offline, elem_id="share-push")
    outcome = gr.Markdown(elem_id="share-done")
    return Preview(column, gr.State(None), disclosures, card, push, outcome)


def connect(part: Share, chosen: gr.State, zoo_changed: gr.State, zoo: Zoo, hub: Hub) -> None:
    """Connects the events; whatever changes what would be sent takes the preview away."""
    preview = part.preview
    part.show.click(previewer(preview, zoo, hub), [chosen, *part.form], preview.outputs, **QUEUED)
    preview.push.click(pusher(hub), preview.agreed, preview.outcome, **WATCHED)
    gr.on(
        [*(field.change for field in part.form), chosen.change, zoo_changed.change],
        clearer(preview, zoo),
        [preview.agreed, chosen, *part.form],
        preview.outputs,
        **UNQUEUED,
    )


def previewer(preview: Preview, zoo: Zoo, hub: Hub):
    """The handler that shows what a push would make public."""

    @speaking
    def show(*form: Any) -> Updates:
        spec = _spec(zoo, *form)
        return preview.show(spec, hub.preview(spec))

    return show


def clearer(preview: Preview, zoo: Zoo):
    """The handler that takes away a preview of something else than what the form now says.

    The button may be pressed before the page has told of the last word typed: a preview that was
    made of that word stays.
    """

    @speaking
    def clear(agreed: Agreed | None, *form: Any) -> Updates:
        holds = agreed is None or agreed[0] == _spec_or_none(zoo, *form)
        return gr.skip() if holds else preview.clear()

    return clear


def _spec(
    zoo: Zoo,
    id: str,
    repo: str,
    licence: str,
    every: bool,
    private: bool,
    thumbnail: bool,
    space: bool,
) -> PushSpec:
    """What the form asks to push."""
    adapters = _own(zoo) if every else (id,)
    return PushSpec(adapters, repo, private, licence.strip().lower(), thumbnail, space)


def _spec_or_none(zoo: Zoo, *form: Any) -> PushSpec | None:
    try:
        return _spec(zoo, *form)
    except BadValue:
        return None


def _own(zoo: Zoo) -> tuple[str, ...]:
    """A person's own adapters, those whose card can be read."""
    return tuple(entry.id for entry in zoo.entries() if entry.card and not entry.shipped)


def pusher(hub: Hub):
    """The handler that pushes what has been shown."""

    @speaking
    def push(
        agreed: Agreed | None, visitor: gr.OAuthToken | None, progress: gr.Progress = PROGRESS
    ) -> str:
        if agreed is None:
            return ""
        spec, digest = agreed
        token = visitor.token if visitor else ""
        address = hub.push(spec, token, reporter(progress), digest)
        return f"Pushed: [{text.plain(address)}]({address})"

    return push


def describe(preview: UploadPreview) -> str:
    """Markdown: what would be sent and what can be read from it, every word as text."""
    files = [f"- {text.plain(name)}, {text.size(octets)}" for name, octets in preview.files]
    lines = [
        f"**To {text.plain(preview.repo)}** go these files:",
        "",
        *files,
        "",
        "In them can be read:",
        "",
        text.bullets(preview.disclosures),
    ]
    return "\n".join(lines)
