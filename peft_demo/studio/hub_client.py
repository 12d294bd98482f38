"""Talks with the Hugging Face Hub about adapters. What goes wrong becomes one sentence, and soon.

huggingface_hub waits without end for a silent server, and as long as a rate limit says. Two hooks
on its session bound that within our conversations; for whatever else uses the session they do
nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, constants, get_session, get_token, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage]  of httpx or httpx2, as this version uses
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from ..adapters import AdapterFile
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import ZooEntry
from ..contracts.errors import BadAdapter, HubTrouble, NotAllowed, PeftDemoError, UnknownName
from ..contracts.progress import Report
from ..storage.atomic import disk_errors
from ..storage.names import slug
from .hub_upload import README
from .model_card import TAG

LIMIT = 500_000_000
"""Bytes of one file, and of all files of one pull; full fine-tuning of a ViT-B takes 343 MB."""
MOST = 100
"""Adapter files of one repository that are looked at."""
TRIES = 3
"""How often one request is sent at most.

huggingface_hub repeats what may pass after 1, 2, 4, ... seconds.
"""
SILENCE_S = 20.0
"""Seconds without a byte after which a request is given up."""

_NAME = re.compile(r"[^\x00-\x1f./\\:][^\x00-\x1f/\\:]{0,120}\.safetensors")
_requests: ContextVar[Counter | None] = ContextVar("requests", default=None)
"""How often each request of the conversation was sent; None outside of one."""

AGAIN = "Try again in a minute."


def stored_token() -> str:
    """The token this machine is logged in with (`hf auth login`, HF_TOKEN), "" if there is none."""
    return get_token() or ""


def send(
    repo: str,
    contents: Mapping[str, bytes],
    token: str,
    private: bool = False,
    report: Report | None = None,
) -> str:
    """One commit holds all of `contents` afterwards, or the repository is as before.

    Gives the address of its page. The repository is made if need be. Raises `NotAllowed` if it is
    public where `private` is asked for, or has a model card that is not ours, and `HubTrouble` for
    what the Hub or the network refuses.
    """
    with _talking(repo, token) as api:
        address = str(api.create_repo(repo, private=private, exist_ok=True))
        _check_home(repo, api.model_info(repo), private)
        # As buffers, to go over HTTP: hf_xet has retries of its own that cannot be bounded.
        additions = [CommitOperationAdd(name, BytesIO(data)) for name, data in contents.items()]
        for n, addition in enumerate(additions):
            _say(report, f"sending {addition.path_in_repo}", n / len(additions))
            _forget_requests()  # the same questions are asked for each file
            api.preupload_lfs_files(repo, [addition], free_memory=False)
        api.create_commit(repo, additions, commit_message=f"Add {', '.join(contents)}"[:200])
    return address


def find(repo: str, revision: str = "", token: str = "") -> tuple[str, list[ZooEntry]]:
    """The commit that `revision` stands for, and the adapters in it by their headers.

    Files that are not ours are ignored. Nothing but headers is fetched. An entry with a `refusal`
    is too large, has an ill-formed card, or comes after the first `MOST` files.
    """
    with _talking(repo, token) as api:
        model = api.model_info(repo, revision=revision or None, files_metadata=True)
        commit = model.sha or ""
        files = [file for file in model.siblings or () if _NAME.fullmatch(file.rfilename)]
        entries = []
        for file in files[:MOST]:
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
) -> list[AdapterFile]:
    """The adapters named, or each that can be taken; sizes, headers and cards are checked.

    `folder` is used meanwhile. `UnknownName` or `BadAdapter` says which one is not to be had,
    `HubTrouble` what the Hub or the network refuses.
    """
    commit, entries = find(repo, revision, token)
    files = []
    for n, entry in enumerate(_chosen(repo, entries, names)):
        path = folder / f"{n}-{slug(entry.id)}.safetensors"
        _fetch(repo, commit, entry, path, token, report)
        files.append(AdapterFile.open(path))
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
        _talking(repo, token),
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
            f"{repo} has a model card that is not from here; it would be lost.",
            "Choose another name.",
        )


def _forget_requests() -> None:
    """Each request of the conversation may be sent `TRIES` times again."""
    sent = _requests.get()
    if sent is not None:
        sent.clear()


def _say(report: Report | None, what: str, fraction: float) -> None:
    if report:
        report(what, fraction)


# one conversation


@contextmanager
def _talking(repo: str, token: str) -> Iterator[HfApi]:
    """An api that speaks with this token alone and does not wait for long; its errors become ours.

    They come out without the original's story, in which requests and addresses stand.
    """
    _listen()
    before = _requests.set(Counter())
    trouble = None
    try:
        yield HfApi(endpoint=constants.ENDPOINT, token=token or False)
    except Exception as error:
        trouble = _ours(error, repo)
    finally:
        _requests.reset(before)
    if trouble:
        raise trouble from None


def _listen() -> None:
    """Hangs the two hooks on huggingface_hub's session, once.

    After a refused connection it makes a new session without them. Its own five repetitions, half a
    minute, are then the bound of that conversation.
    """
    session = get_session()
    hooks = session.event_hooks
    if _hurry not in hooks["request"]:
        session.event_hooks = {
            "request": [*hooks["request"], _hurry],
            "response": [*hooks["response"], _heed_limit],
        }


def _hurry(request) -> None:
    """Before each request: not once too often, and not for longer than the patience of a person."""
    sent = _requests.get()
    if sent is None:
        return
    sent[request.method, str(request.url)] += 1
    if sent[request.method, str(request.url)] > TRIES:
        raise HubTrouble(f"the Hub broke off {TRIES} times in a row.", AGAIN)
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), SILENCE_S)


def _heed_limit(response) -> None:
    """After each answer: a rate limit is told at once, instead of slept through."""
    if _requests.get() is not None and response.status_code == 429:
        raise _limited_rate(response.headers)


def _limited_rate(headers) -> HubTrouble:
    found = re.search(r"\d+", headers.get("retry-after", "")) or re.search(
        r"(?<=t=)\d+", headers.get("ratelimit", "")
    )
    wait = f"in {found[0]} seconds" if found else "in a few minutes"
    return HubTrouble("the Hub asks to slow down: too many requests.", f"Try again {wait}.")


# what went wrong


def _ours(error: Exception, repo: str) -> PeftDemoError:
    """The sentence for an error of huggingface_hub or of the network.

    Nothing of its text stands in it: that may hold addresses that are secrets.
    """
    while isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # uploads wrap what went wrong
    if isinstance(error, PeftDemoError):
        return error
    if isinstance(error, OfflineModeIsEnabled):
        return NotAllowed(
            "the Hub needs the network, which is switched off here.", "Unset HF_HUB_OFFLINE."
        )
    if isinstance(error, HfHubHTTPError):
        return _answered(error, repo)
    if isinstance(error, HTTPError | OSError):
        return HubTrouble(
            f"the Hub could not be reached ({type(error).__name__}).",
            f"Is there a network? {AGAIN}",
        )
    return HubTrouble(f"the Hub's answer could not be understood ({type(error).__name__}).", AGAIN)


def _answered(error: HfHubHTTPError, repo: str) -> PeftDemoError:
    status = error.response.status_code
    if isinstance(error, RevisionNotFoundError):
        return HubTrouble(
            f"{repo} has no such revision.", "Leave it out for the latest, or check its name."
        )
    if isinstance(error, GatedRepoError):
        return HubTrouble(f"{repo} is gated.", "Ask for access on its page, then try again.")
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return HubTrouble(
            f"there is no model repository {repo}, or it is private.", "Check its name, or log in."
        )
    if status == 401:
        return HubTrouble("the Hub does not know this token.", "Log in again: `hf auth login`.")
    if status == 403:
        hint = "Push under your own name, with a token that may write."
        return HubTrouble(f"this token may not write to {repo}, or may not see it.", hint)
    if status >= 500:
        return HubTrouble(f"the Hub has a problem of its own ({status}).", AGAIN)
    return HubTrouble(
        f"the Hub refused ({status}).", "Check the name of the repository, and its page on the Hub."
    )
