"""timm's pretrained weights, fetched from the Hugging Face Hub, or found where they were kept."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..contracts.errors import BadBackbone, BadValue, NotAllowed
from ..contracts.progress import Report
from .source import hub_repository

if TYPE_CHECKING:
    from tqdm.auto import tqdm

WEIGHTS = "model.safetensors"


def fetch(name: str, offline: bool, report: Report | None) -> Path:
    """The file of timm's weights called `name`, downloaded if it is not on this machine.

    Raises `BadValue` if there are no such weights, `NotAllowed` when a download is needed and not
    possible, `BadBackbone` if the Hub has no safetensors of them.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repository = hub_repository(name)
    if not repository:
        raise BadValue(
            f"timm has no pretrained weights called {name!r}.",
            "Name one with its tag, or add a file.",
        )
    download = partial(hf_hub_download, repository, WEIGHTS, local_files_only=offline)
    try:
        path = download(tqdm_class=_reporting(name, report)) if report else download()
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise _not_here(name, offline) from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise BadBackbone(f"the Hub has no safetensors weights for {name} ({status}).") from None
    return Path(path)


def is_downloaded(repository: str) -> bool:
    """Whether the weights in this repository of the Hub are on this machine already."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repository, WEIGHTS), str)


def _not_here(name: str, offline: bool) -> NotAllowed:
    reason = "downloads are switched off" if offline else "the Hugging Face Hub cannot be reached"
    return NotAllowed(
        f"{name} is not on this machine and {reason}.", "Use the bundled backbone or add a file."
    )


def _reporting(name: str, report: Report) -> "type[tqdm]":
    """A tqdm class that calls `report` instead of drawing a bar."""
    from tqdm.auto import tqdm

    class Reporting(tqdm):
        def display(self, *args: object, **kwargs: object) -> None:
            report(f"downloading {name}", self.n / self.total if self.total else -1.0)

    return Reporting
