"""A conversation with the Hugging Face Hub. What goes wrong becomes one sentence, and soon.

huggingface_hub waits without end for a silent server, and as long as a rate limit says. Two hooks
on its session bound that within our conversations; for whatever else uses the session they do
nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage]  of httpx or httpx2, as this version uses
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ..contracts.errors import HubTrouble, NotAllowed, PeftDemoError

TRIES = 3
"""How often one request is sent at most.

huggingface_hub repeats what may pass after 1, 2, 4, ... seconds.
"""
SILENCE_S = 20.0
"""Seconds without a byte after which a request is given up."""

_requests: ContextVar[Counter | None] = ContextVar("requests", default=None)
"""How often each request of the conversation was sent; None outside of one."""

AGAIN = "Try again in a minute."


@contextmanager
def talking(repo: str, token: str) -> Iterator[HfApi]:
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


def forget_requests() -> None:
    """Each request of the conversation may be sent `TRIES` times again."""
    sent = _requests.get()
    if sent is not None:
        sent.clear()


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
            f"there is no repository {repo}, or it is private.", "Check its name, or log in."
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
