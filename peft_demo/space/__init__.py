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

from starlette.middleware import Middleware

from .banner import banner
from .uploads import Uploads
from .visitor_id import Cookies
from .visitors import Visitors

__all__ = ["LAUNCH", "banner", "open_visitors"]

LAUNCH = {
    "app_kwargs": {"middleware": [Middleware(Cookies), Middleware(Uploads)]},
    "max_file_size": "50mb",
}
"""What launching takes beside the page's own arguments."""


def open_visitors(offline: bool = False) -> Visitors:
    """The services of this Space.

    With ZeroGPU answers come from the CPU, for the GPU lives in another process.
    """
    if not os.environ.get("SPACES_ZERO_GPU"):
        return Visitors(offline=offline)
    from ..storage.home import find_home
    from .gpu import borrowing

    return Visitors(borrowing(find_home().root), device="cpu", offline=offline)
