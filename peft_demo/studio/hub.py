"""Sharing: what a push would show, the push itself, and adapters of other people's repositories."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .. import methods
from ..contracts.cards import SharedRepo, UploadPreview, ZooEntry
from ..contracts.errors import NotAllowed
from ..contracts.progress import Report
from ..contracts.specs import PushSpec, repo_id
from ..storage.atomic import disk_errors
from ..storage.home import Home
from .heavy import hub_client, hub_upload, space_upload
from .zoo import Zoo


class Hub:
    """The `contracts.service.Hub` of a home.

    Where the machine is `shared`, nobody uses its Hub token.
    """

    def __init__(self, home: Home, zoo: Zoo, *, offline: bool, shared: bool):
        self._home = home
        self._zoo = zoo
        self._offline = offline
        self._shared = shared

    def preview(self, push: PushSpec) -> UploadPreview:
        return self._pack(push)[0]

    def push(
        self, push: PushSpec, token: str = "", report: Report | None = None, agreed: str = ""
    ) -> str:
        token = self._token(token)
        if not token:
            page = "Sign in on this page if it offers that, or push on the command line."
            hint = page if self._shared else "Run `hf auth login` once, or set HF_TOKEN."
            raise NotAllowed("nobody is logged in to the Hub.", hint)
        preview, contents = self._pack(push)
        if agreed not in ("", preview.digest):
            raise NotAllowed(
                "what would be sent has changed since it was shown.", "Look at it again, then push."
            )
        kind = hub_client.SPACE if push.space else hub_client.MODEL
        return hub_client.send(push.repo, contents, token, push.private, report, kind)

    def search(self, words: str = "", token: str = "") -> list[SharedRepo]:
        found = hub_client.search(words, self._token(token))
        here = [card.name for card in self._zoo.backbones()]
        repos = [_shared(repo, here) for repo in found]
        return sorted(repos, key=lambda repo: not repo.backbones)

    def adapters(
        self, repo: str, revision: str = "", token: str = "", report: Report | None = None
    ) -> list[ZooEntry]:
        return hub_client.find(repo_id(repo), revision, self._token(token), report)[1]

    def pull(
        self,
        repo: str,
        names: Sequence[str] = (),
        revision: str = "",
        token: str = "",
        report: Report | None = None,
    ) -> list[str]:
        self._home.check_room()
        token = self._token(token)
        with disk_errors(self._home.tmp):
            self._home.tmp.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._home.tmp) as folder:
            files = hub_client.download(repo_id(repo), names, Path(folder), revision, token, report)
            return self._zoo.take_all(list(files.values()), list(files))

    def _pack(self, push: PushSpec) -> tuple[UploadPreview, dict[str, bytes]]:
        if push.space:
            return space_upload.pack_space(push, self._zoo.subject(push.adapters[0]))
        files = [self._zoo.file(id) for id in push.adapters]
        return hub_upload.pack(push, files, self._home.root)

    def _token(self, given: str) -> str:
        """The visitor's own token, else that of this machine.

        Where the machine is shared, nobody acts in its owner's name.
        """
        if self._offline:
            raise NotAllowed(
                "the Hugging Face Hub needs the network, which is switched off here.",
                "Start without --offline.",
            )
        return given or ("" if self._shared else hub_client.stored_token())


def _shared(found: "hub_client.Tagged", backbones: Sequence[str]) -> SharedRepo:
    """What the tags of a repository say, as far as they are words of this machine."""
    known = methods.cards()
    return SharedRepo(
        repo=found.repo,
        methods=tuple(name for name in found.tags if name in known),
        backbones=tuple(name for name in found.tags if name in backbones),
        downloads=found.downloads,
        likes=found.likes,
    )
