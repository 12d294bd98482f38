"""On a Hugging Face Space: many visitors, one machine, nothing kept for long.

`visitors`         a studio for each browser
`visitor_id`       tells browsers apart
`uploads`          what may be sent, and how long it stays
`line`             first come, first served
`training_queue`   one run at a time, within limits
`time_limit`       ends a run when its time is up
`gpu`              a run on a GPU that the Space lends (ZeroGPU)
`banner`           what the page says of all this
"""

import os
from collections.abc import Mapping
from typing import Any

from starlette.middleware import Middleware

from .banner import banner
from .uploads import Uploads
from .visitor_id import Cookies
from .visitors import Visitors

__all__ = ["banner", "launch_arguments", "open_visitors"]

MIDDLEWARE = (Middleware(Cookies), Middleware(Uploads))
MOST_FILE_SIZE = "50mb"


def launch_arguments(page: Mapping[str, Any]) -> dict[str, Any]:
    """The `page`'s own arguments to launch it with, and what a Space takes beside them."""
    app = page.get("app_kwargs", {})
    middleware = [*MIDDLEWARE, *app.get("middleware", ())]
    return {
        **page,
        "app_kwargs": {**app, "middleware": middleware},
        "max_file_size": MOST_FILE_SIZE,
    }


def open_visitors(offline: bool = False) -> Visitors:
    """The services of this Space.

    With ZeroGPU answers come from the CPU, for the GPU lives in another process.
    """
    if not os.environ.get("SPACES_ZERO_GPU"):
        return Visitors(offline=offline)
    from ..storage.home import find_home
    from .gpu import borrowing

    return Visitors(borrowing(find_home().root), device="cpu", offline=offline)
