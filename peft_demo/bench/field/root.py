"""Where a benchmark lies: a folder, or a dataset repository of the Hugging Face Hub."""

from pathlib import Path
from shutil import disk_usage
from zipfile import BadZipFile, ZipFile

from ...contracts.errors import BadData, HubTrouble, NotAllowed
from ...contracts.progress import Report
from ...data.sources import leads_out, parts_of
from ...storage.paths import expanded, is_folder

WORD = "hf:"


def find_root(word: str, offline: bool, report: Report) -> Path:
    """The folder itself, or that of `hf:OWNER/NAME`, downloaded if it is not on this machine.

    Archives of the repository are unpacked beside it. Raises `BadData`, `NotAllowed` or
    `HubTrouble`.
    """
    if not word.startswith(WORD):
        folder = expanded(word)
        if not is_folder(folder):
            raise BadData(f"there is no folder {word!r:.80}.", "--root names it.")
        return folder
    folder = _downloaded(word.removeprefix(WORD), offline, report)
    for archive in sorted(folder.rglob("*.zip")):
        _unpack(archive, report)
    return folder


def _downloaded(id: str, offline: bool, report: Report) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    report(f"downloading {id}")
    try:
        return Path(snapshot_download(id, repo_type="dataset", local_files_only=offline))
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        reason = "downloads are switched off" if offline else "the Hub cannot be reached"
        raise NotAllowed(f"{id} is not on this machine and {reason}.", "Name a folder.") from None
    except (HfHubHTTPError, HFValidationError) as error:
        reason = str(error).splitlines()[0][:200]
        raise HubTrouble(f"the dataset {id!r:.80} could not be had: {reason}") from None


def _unpack(archive: Path, report: Report) -> None:
    """Unpacks an archive into its folder, once."""
    done = archive.with_suffix(".unpacked")
    if done.exists():
        return
    report(f"unpacking {archive.name}")
    try:
        with ZipFile(archive) as file:
            if any(leads_out(parts_of(name)) for name in file.namelist()):
                raise BadData(f"{archive.name} holds a file that would lie outside its folder.")
            needed = sum(member.file_size for member in file.infolist())
            free = disk_usage(archive.parent).free
            if needed > free:
                raise BadData(
                    f"{archive.name} unpacks to {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are "
                    "free beside it.",
                    "Make room, or unpack what you need and name that folder.",
                )
            file.extractall(archive.parent)
    except BadZipFile:
        raise BadData(f"{archive.name} is no zip.", "Download it again.") from None
    done.touch()
