"""Who a backbone is, and the proof that it did not change."""

import hashlib
from collections.abc import Mapping

from torch import Tensor


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the tensors in name order: name, shape, and the values cast exactly to fp32.

    Over a backbone's *source* tensors, head excluded and before any resizing, it is the backbone's
    identity: the same for a file stored in fp16 and in fp32. Over live tensors before and after a
    run it proves that none of them changed.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().float().cpu().contiguous()
        digest.update(f"{name}{list(tensor.shape)}".encode())
        digest.update(tensor.numpy().data)
    return digest.hexdigest()
