"""Answers without learning: what a model is given (`inputs`), what it answers (`predict`), in which
precision (`precision`), what an adapter says and how much it doubts it (`attached`, `calibration`,
`doubt`), what its answer rests on (`occlusion`), how often it is right (`scoring`), what it did to
the features (`data_map`), and what several are together (`together`)."""

from .attached import Answered, Attached, Plain, answer_together
from .inputs import CachedFeatures, ImageInputs, normalize
from .occlusion import explain
from .precision import autocast, choose, disable_slow_fused_attention, faster
from .predict import (
    check_finite,
    loss_and_accuracy,
    outputs,
    predict_logits,
    score,
    top_classes,
)

__all__ = [
    "Answered",
    "Attached",
    "CachedFeatures",
    "ImageInputs",
    "Plain",
    "answer_together",
    "autocast",
    "check_finite",
    "choose",
    "disable_slow_fused_attention",
    "explain",
    "faster",
    "loss_and_accuracy",
    "normalize",
    "outputs",
    "predict_logits",
    "score",
    "top_classes",
]
