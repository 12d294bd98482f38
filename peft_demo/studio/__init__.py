"""The services behind page and command line: the only room with threads, clocks and user files.

`Studio` is the whole, a `contracts.service.Service`. Its five parts, and what they stand on:

`datasets`   the data part           `drafts` class cards of the page
`training`   the training part       `jobs` the run in progress · `runs` on disk · `journal` of one
`zoo`        the zoo part            `adapter_store` files · `exports` · `samples` to try
`hub`        the hub part            `hub_client`, `hub_conversation` talk · `hub_upload` packs
`answers`    the answers part        `predictor` models in memory · `merged`

`backbone_cache` holds the backbones that training and answers share.
"""

from .studio import Studio

__all__ = ["Studio"]
