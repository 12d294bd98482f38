"""Sends adapters to the Hugging Face Hub, looks for them there, and fetches them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import (
    CommitOperationAdd,
    HfApi,
    ModelInfo,
    constants,
    get_session,
    get_token,
    hf_hub_url,
)
from huggingface_hub.errors import (
    HTTPError,  # pyright: ignore[reportPrivateImportUsage]  of httpx or httpx2, as this version uses
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import ZooEntry
from ..contracts.errors import BadAdapter, BadValue, NotAllowed, PeftDemoError, UnknownName
from ..contracts.progress import Report
from ..contracts.specs import repo_id
from ..storage.atomic import disk_errors
from ..storage.names import slug
from .heavy import adapters
from .hub_conversation import forget_requests, talking
from .hub_upload import README
from .model_card import TAG

MODEL, SPACE = "model", "space"
"""Kinds of repositories."""
LIMIT = 500_000_000
"""Bytes of one file, and of all files of one pull; full fine-tuning of a ViT-B takes 343 MB."""
MOST = 100
"""Adapter files of one repository that are looked at."""
MOST_FOUND = 100
"""Repositories that a search tells of."""
_NAME = re.compile(r"[^\x00-\x1f./\\:][^\x00-\x1f/\\:]{0,120}\.safetensors")


class Tagged(NamedTuple):
    """A model repository as a search finds it."""

    repo: str
    tags: tuple[str, ...]
    downloads: int
    likes: int


def stored_token() -> str:
    """The token this machine is logged in with (`hf auth login`, HF_TOKEN), "" if there is none."""
    return get_token() or ""


def send(
    repo: str,
    contents: Mapping[str, bytes],
    token: str,
    private: bool = False,
    report: Report | None = None,
    kind: str = MODEL,
) -> str:
    """One commit holds all of `contents` afterwards, or the repository is as before: one that was
    made for this and could not be filled is removed again.

    Gives the address of its page. The repository is made if need be. Raises `NotAllowed` if it is
    public where `private` is asked for, or has a model card that is not ours, and `HubTrouble` for
    what the Hub or the network refuses.
    """
    with talking(repo, token) as api:
        is_new = not api.repo_exists(repo, repo_type=kind)
        address = str(
            api.create_repo(
                repo,
                private=private,
                exist_ok=True,
                repo_type=kind,
                space_sdk="gradio" if kind == SPACE else None,
            )
        )
        try:
            _check_home(repo, api.repo_info(repo, repo_type=kind), private)
            _fill(api, repo, contents, report, kind)
        except BaseException:
            if is_new:
                _remove(api, repo, kind)
            raise
    return address


def _fill(
    api: HfApi, repo: str, contents: Mapping[str, bytes], report: Report | None, kind: str
) -> None:
    """Sends all of `contents` in one commit."""
    # As buffers, to go over HTTP: hf_xet has retries of its own that cannot be bounded.
    additions = [CommitOperationAdd(name, BytesIO(data)) for name, data in contents.items()]
    for n, addition in enumerate(additions):
        _say(report, f"sending {addition.path_in_repo}", n / len(additions))
        forget_requests()  # the same questions are asked for each file
        api.preupload_lfs_files(repo, [addition], repo_type=kind, free_memory=False)
    message = f"Add {', '.join(contents)}"[:200]
    api.create_commit(repo, additions, commit_message=message, repo_type=kind)


def _remove(api: HfApi, repo: str, kind: str) -> None:
    """Removes a repository that was just made; where that fails too, the first failure is told."""
    with suppress(Exception):
        forget_requests()
        api.delete_repo(repo, repo_type=kind)


def search(words: str, token: str = "") -> list[Tagged]:
    """Model repositories of ours whose names hold the words, most downloaded first."""
    with talking("of such adapters", token) as api:
        found = api.list_models(
            filter=[TAG], search=words.strip() or None, sort="downloads", limit=MOST_FOUND
        )
        return [_tagged(model) for model in found if _is_name(model.id)]


def _tagged(model: ModelInfo) -> Tagged:
    tags = tuple(tag for tag in model.tags or () if isinstance(tag, str))
    return Tagged(model.id, tags, int(model.downloads or 0), int(model.likes or 0))


def _is_name(word: object) -> bool:
    """Whether it is the OWNER/NAME of a repository."""
    try:
        return isinstance(word, str) and repo_id(word) == word
    except BadValue:
        return False


def find(
    repo: str, revision: str = "", token: str = "", report: Report | None = None
) -> tuple[str, list[ZooEntry]]:
    """The commit that `revision` stands for, and the adapters in it by their headers.

    Files that are not ours are ignored. Nothing but headers is fetched. An entry with a `refusal`
    is too large, has an ill-formed card, or comes after the first `MOST` files.
    """
    _say(report, f"asking the Hub for {repo}", 0.0)
    with talking(repo, token) as api:
        model = api.model_info(repo, revision=revision or None, files_metadata=True)
        commit = model.sha or ""
        files = [file for file in model.siblings or () if _NAME.fullmatch(file.rfilename)]
        entries = []
        looked_at = files[:MOST]
        for n, file in enumerate(looked_at):
            _say(report, f"looking at {file.rfilename}", n / len(looked_at))
            entry = _entry(api, repo, commit, file.rfilename, file.size or 0)
            if entry:
                entries.append(entry)
        entries += [_unseen(file) for file in files[MOST:]]
        return commit, entries


def download(
    repo: str,
    names: Sequence[str],
    folder: Path,
    revision: str = "",
    token: str = "",
    report: Report | None = None,
) -> "dict[str, adapters.AdapterFile]":
    """The adapters named, or each that can be taken, by their names; sizes, headers and cards are
    checked.

    `folder` is used meanwhile. `UnknownName` or `BadAdapter` says which one is not to be had,
    `HubTrouble` what the Hub or the network refuses.
    """
    commit, entries = find(repo, revision, token, report)
    files = {}
    for n, entry in enumerate(_chosen(repo, entries, names)):
        path = folder / f"{n}-{slug(entry.id)}.safetensors"
        _fetch(repo, commit, entry, path, token, report)
        files[entry.id] = adapters.AdapterFile.open(path)
    return files


def _chosen(repo: str, entries: Sequence[ZooEntry], names: Sequence[str]) -> list[ZooEntry]:
    there = {entry.id: entry for entry in entries}
    for name in names:
        if name not in there:
            raise UnknownName(f"adapter in {repo}", name, there)
        if refusal := there[name].refusal:
            raise BadAdapter(f"{name} in {repo} cannot be taken: {refusal}")
    found = [there[name] for name in dict.fromkeys(names)] or [
        entry for entry in entries if not entry.refusal
    ]
    if not found:
        raise BadAdapter(
            f"{repo} holds no adapter that can be taken.", "Is it the right repository?"
        )
    if (size := sum(entry.file_bytes for entry in found)) > LIMIT:
        raise BadAdapter(
            f"these are {size / 1e6:.0f} MB, of at most {LIMIT / 1e6:.0f} at once.",
            "Name some of them.",
        )
    return found


def _fetch(
    repo: str, commit: str, entry: ZooEntry, target: Path, token: str, report: Report | None
) -> None:
    """The file `target` holds what the Hub has under the entry's name.

    Nothing is checked but its size.
    """
    url = hf_hub_url(repo, f"{entry.id}.safetensors", revision=commit, endpoint=constants.ENDPOINT)
    with (
        talking(repo, token),
        get_session().stream(
            "GET", url, headers=build_hf_headers(token=token or False)
        ) as response,
    ):
        hf_raise_for_status(response)
        with disk_errors(target), open(target, "wb") as file:
            for chunk in _limited(response.iter_bytes(1 << 20), entry):
                file.write(chunk)
                _say(
                    report, f"fetching {entry.id}", min(1.0, file.tell() / max(entry.file_bytes, 1))
                )


def _limited(chunks: Iterator[bytes], entry: ZooEntry) -> Iterator[bytes]:
    count = 0
    for chunk in chunks:
        count += len(chunk)
        if count > entry.file_bytes:
            raise BadAdapter(
                f"{entry.id} is larger than the Hub said ({entry.file_bytes:,} bytes)."
            )
        yield chunk


def _entry(api: HfApi, repo: str, commit: str, name: str, size: int) -> ZooEntry | None:
    """The adapter a file holds, by its header; None if it is none of ours."""
    id = name.removesuffix(".safetensors")
    try:
        metadata = api.parse_safetensors_file_metadata(repo, name, revision=commit).metadata
        if not isinstance(metadata, Mapping) or "peft_demo" not in metadata:
            return None
        card = AdapterCard.parse(metadata["peft_demo"])
    except BadAdapter as error:
        return ZooEntry(id, size, False, None, str(error))
    except (HTTPError, OSError, PeftDemoError):
        raise
    except Exception:  # a hostile header can be wrong in any way
        return None
    large = size > LIMIT
    return ZooEntry(
        id, size, False, card, f"it is larger than {LIMIT / 1e6:.0f} MB." if large else ""
    )


def _unseen(file) -> ZooEntry:
    """Stands for a file that was not looked at, adapter or not."""
    name = file.rfilename.removesuffix(".safetensors")
    return ZooEntry(
        name, file.size or 0, False, None, f"only the first {MOST} files are looked at."
    )


def _check_home(repo: str, about, private: bool) -> None:
    """Refuses to show what should be private, and to replace a card that is not ours."""
    if private and about.private is False:
        raise NotAllowed(
            f"{repo} is there already and everybody can see it.",
            "Choose another name for a private one.",
        )
    if README in [file.rfilename for file in about.siblings or ()] and TAG not in (
        about.tags or ()
    ):
        raise NotAllowed(
            f"{repo} has a README.md that is not from here; it would be lost.",
            "Choose another name.",
        )


def _say(report: Report | None, what: str, fraction: float) -> None:
    if report:
        report(what, fraction)
