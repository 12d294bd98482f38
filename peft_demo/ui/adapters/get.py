"""Get from the Hub: finds adapters that others share in model repositories, and takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import SharedRepo, ZooEntry
from ...contracts.errors import BadValue, PeftDemoError
from ...contracts.service import Hub
from .. import text
from ..toasts import reporter, speaking, toast
from ..wiring import QUEUED, UNQUEUED, Part, Updates
from .share import OFFLINE

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
ABOUT = (
    "**From the Hugging Face Hub:** a model repository, or words to search for; left empty, it "
    "finds all there are. Every file is checked as one that you drop."
)
ASKING = "Asking the Hub …"
CANCELLED = "Cancelled."
NONE = "No adapter in it that can be taken."
NOT_FOUND = "No repository with adapters has such a name."


@dataclass(frozen=True)
class Get:
    repo: gr.Textbox
    asked: gr.State
    """What `state`, `found` and `names` are about, "" for nothing."""
    found: gr.Radio
    """The repositories that a search found."""
    state: gr.Markdown
    """What the look-up is doing, and what came of it."""
    cancel: gr.Button
    names: gr.CheckboxGroup
    take: gr.Button

    @property
    def outputs(self) -> list[Part]:
        """Everything that a look-up changes."""
        return [self.state, self.found, self.cancel, self.names, self.take]

    def begin(self, words: str) -> Updates:
        """Updates from the first moment of a search or look-up that was typed."""
        return {**self.wait(words), self.found: gr.Radio([], value=None, visible=False)}

    def choose(self, repo: str) -> Updates:
        """Updates from the first moment of the look-up of a repository that was found."""
        return {**self.wait(repo), self.repo: repo}

    def wait(self, words: str) -> Updates:
        """Updates while the Hub is asked."""
        return {
            self.asked: words,
            self.state: gr.Markdown(ASKING, visible=True),
            self.cancel: gr.Button(visible=True),
            self.names: gr.CheckboxGroup([], value=[], visible=False),
            self.take: gr.Button(visible=False),
        }

    def say(self, words: str) -> Updates:
        """Updates that show nothing but a sentence, "" for not even that."""
        return {
            self.state: gr.Markdown(words, visible=bool(words)),
            self.cancel: gr.Button(visible=False),
            self.names: gr.CheckboxGroup([], value=[], visible=False),
            self.take: gr.Button(visible=False),
        }

    def clear(self) -> Updates:
        """Updates that show nothing of what was found."""
        return {**self.say(""), self.found: gr.Radio([], value=None, visible=False)}

    def show(self, repos: Sequence[SharedRepo]) -> Updates:
        """Updates that offer these repositories to look into."""
        choices = [(_described(repo), repo.repo) for repo in repos]
        return {**self.say(""), self.found: gr.Radio(choices, value=None, visible=True)}

    def offer(self, entries: list[ZooEntry]) -> Updates:
        """Updates that offer these adapters, all of them ticked."""
        choices = [(_label(entry), entry.id) for entry in entries]
        ids = [entry.id for entry in entries]
        return {
            **self.say(""),
            self.names: gr.CheckboxGroup(choices, value=ids, visible=True),
            self.take: gr.Button(visible=True),
        }


def build(offline: bool) -> Get:
    """Draws this part into the open context."""
    gr.Markdown(OFFLINE if offline else ABOUT)
    repo = gr.Textbox(
        label="Repository, or words",
        placeholder="OWNER/NAME",
        max_length=200,
        submit_btn="Look",
        elem_id="get-repo",
    )
    state = gr.Markdown("", visible=False, elem_id="get-state")
    cancel = gr.Button("Cancel", size="sm", visible=False, elem_id="get-cancel")
    found = gr.Radio([], label="Found, look into one", visible=False, elem_id="get-repos")
    names = gr.CheckboxGroup([], label="Adapters in it", visible=False, elem_id="get-found")
    take = gr.Button("Add to my adapters", visible=False, elem_id="get-take")
    return Get(repo, gr.State(""), found, state, cancel, names, take)


def connect(part: Get, zoo_changed: gr.State, hub: Hub) -> None:
    """Connects the events; another repository name takes the list away.

    Whoever cancels no longer waits for the answer, which is thrown away when it comes.
    """
    shown = {"api_visibility": "private", "show_progress_on": [part.state]}
    waiting = [part.asked, *part.outputs]
    look = looker(part, hub)
    asked = part.repo.submit(speaking(part.begin), part.repo, waiting, **UNQUEUED)
    chosen = part.found.input(speaking(part.choose), part.found, [part.repo, *waiting], **UNQUEUED)
    looked = [then(look, part.repo, part.outputs, **shown) for then in (asked.then, chosen.then)]
    part.repo.change(_clear(part), [part.repo, part.asked], part.outputs, **UNQUEUED)
    begun = part.take.click(lambda: gr.Button(visible=True), None, part.cancel, **UNQUEUED)
    taken = begun.then(
        taker(part, zoo_changed, hub),
        [part.repo, part.names, zoo_changed],
        [*part.outputs, zoo_changed],
        **shown,
    )
    part.cancel.click(_cancel(part), None, part.outputs, cancels=[*looked, taken], **QUEUED)


def _clear(part: Get):
    """What was found goes when the name is another one; the page may tell of the last letter only
    after the look-up has begun.
    """
    return lambda repo, asked: gr.skip() if repo == asked else part.clear()


def _cancel(part: Get):
    return lambda: part.say(CANCELLED)


def looker(part: Get, hub: Hub):
    """The handler that lists the adapters of a repository, or searches for repositories where the
    words name none; an error takes the waiting away.
    """

    @speaking
    def look(
        words: str, visitor: gr.OAuthToken | None, progress: gr.Progress = PROGRESS
    ) -> Updates:
        token = visitor.token if visitor else ""
        try:
            if "/" not in words:
                return _found(hub.search(words, token))
            entries = hub.adapters(words, token=token, report=reporter(progress))
        except PeftDemoError as error:
            return part.say(_refused(error))
        usable = [entry for entry in entries if not entry.refusal]
        _warn_of([entry for entry in entries if entry.refusal])
        return part.offer(usable) if usable else part.say(NONE)

    def _found(repos: Sequence[SharedRepo]) -> Updates:
        return part.show(repos) if repos else part.say(NOT_FOUND)

    return look


def _warn_of(refused: list[ZooEntry]) -> None:
    if not refused:
        return
    first = f"{refused[0].id}: {refused[0].refusal}"
    toast("warning", f"{text.plural(len(refused), 'file')} cannot be taken. {first}")


def taker(part: Get, zoo_changed: gr.State, hub: Hub):
    """The handler that takes the ticked adapters."""

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
        try:
            ids = hub.pull(repo, names, token=token, report=reporter(progress))
        except PeftDemoError as error:
            return {**part.say(_refused(error)), zoo_changed: counter}
        return {**part.say(f"Added as {text.plain(', '.join(ids))}."), zoo_changed: counter + 1}

    return take


def _refused(error: PeftDemoError) -> str:
    return f"**That did not work.** {text.plain(text.sentence(str(error)))}"


def _described(repo: SharedRepo) -> str:
    """you/flowers (lora, for the backbone vit_tiny_patch16_224, 12 downloads)"""
    fits = f"for {', '.join(repo.backbones)}" if repo.backbones else "for a backbone not here"
    about = [*repo.methods, fits, text.plural(repo.downloads, "download")]
    return f"{repo.repo} ({', '.join(about)})"


def _label(entry: ZooEntry) -> str:
    if entry.card is None:
        return entry.id
    classes = text.plural(len(entry.card.classes), "class")
    return f"{entry.id} ({entry.card.method}, {classes}, {text.size(entry.file_bytes)})"
