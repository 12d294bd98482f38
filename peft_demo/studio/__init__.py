"""The services behind page and command line: the only room with threads, clocks and user files.

`home` where files live · `journal` what happened in a run · `jobs` the one run in progress · `zoo` adapter files ·
`shelf` loaded backbones · `predictor` attached models, ready to answer · `drafts` class cards and uploaded zips ·
`parcel` what a push would make public, with its `model_card` and `curve` · `hub` talks with the Hugging Face Hub ·
`studio` all of it behind `contracts.service.Service`.
"""

from .studio import Studio

__all__ = ["Studio"]
