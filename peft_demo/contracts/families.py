"""The families that methods of parameter-efficient fine-tuning come in."""

LOW_RANK = "low rank"
BOTTLENECK = "bottleneck"
SCALING = "scaling"
PROMPTS = "prompts"
WHOLE_TENSORS = "whole tensors"
BASELINES = "baselines"

FAMILIES = {
    LOW_RANK: "add a product of two thin matrices to the frozen ones",
    BOTTLENECK: "put a narrow pair of layers beside or behind the frozen ones",
    SCALING: "stretch, turn and shift what the frozen layers compute",
    PROMPTS: "add learned tokens to those of the image",
    WHOLE_TENSORS: "train a chosen part of the backbone's own numbers",
    BASELINES: "the least and the most that can be trained, to compare with",
}
"""Family → what its methods do, in the order in which they are shown."""
