"""Files, one way each: written whole or not at all (`atomic`), named (`names`), kept in the user's home (`home`), and
the header of a safetensors file (`header`)."""

from .atomic import atomic_write, copy_file, disk_errors, move_file, write_file, write_folder
from .header import Header, read_header
from .home import Home, find_home, folder_size, sweep
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
    "move_file",
    "read_header",
    "slug",
    "sweep",
    "write_file",
    "write_folder",
]
