"""Files, one way each.

`atomic`   written whole or not at all
`lock`     changed by one at a time
`paths`    words that people type, as paths
`names`    names that are safe everywhere
`home`     where a person's files live
`header`   the header of a safetensors file
`adapter_header`   that of an adapter, with its card
"""

from .atomic import (
    atomic_write,
    copy_file,
    disk_errors,
    move_file,
    move_file_to,
    write_file,
    write_folder,
)
from .header import Header, read_header
from .home import Home, find_home, folder_size, sweep
from .lock import locked
from .names import free_name, slug

__all__ = [
    "Header",
    "Home",
    "atomic_write",
    "copy_file",
    "disk_errors",
    "find_home",
    "folder_size",
    "free_name",
    "locked",
    "move_file",
    "move_file_to",
    "read_header",
    "slug",
    "sweep",
    "write_file",
    "write_folder",
]
