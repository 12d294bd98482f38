"""Answers without learning: what a model is given (`inputs`), what it answers (`predict`), in which
precision (`precision`), and how often that is right (`scoring`)."""

from .inputs import CachedFeatures, ImageInputs, normalize
from .precision import autocast, disable_slow_fused_attention
from .predict import (
    check_finite,
    logits,
    loss_and_accuracy,
    predict,
    predict_logits,
    predict_mixed,
    score,
    top_classes,
)

__all__ = [
    "CachedFeatures",
    "ImageInputs",
    "autocast",
    "check_finite",
    "disable_slow_fused_attention",
    "logits",
    "loss_and_accuracy",
    "normalize",
    "predict",
    "predict_logits",
    "predict_mixed",
    "score",
    "top_classes",
]
