"""How sensitive each weight is: the sum of its squared gradients over a few batches of images.

A step of gradient descent on one weight alone lowers the loss by about ε g², so g² is its
sensitivity.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...vit import Backbone
from ...vit.anatomy import tree_name
from ...vit.seam import bind, share_tensors
from .allocation import Allocation, allocate
from .delta import Config, Module
from .pieces import Terms


class Survey:
    """Adds up the sensitivity of every piece, batch by batch, on a view of the backbone's tensors.

    The backbone is in eval mode and nothing is written to it. The head is random, drawn from
    `seed`: under a head that is zero, every gradient in the backbone would be zero.
    """

    batches = 16
    batch = 32

    def __init__(self, module: Module, backbone: Backbone, config: Config, classes: int, seed: int):
        self.terms = Terms(module, backbone.anatomy, config)
        self.terms.check()
        self.model = share_tensors(backbone.model)
        self.tensors: dict[str, nn.Parameter] = {}
        self.sums: dict[str, Tensor] = {}
        for name in dict.fromkeys(piece.tensor for piece in self.terms.pieces):
            tensor = _with_gradient(self.model, tree_name(name))
            self.tensors[name] = tensor
            self.sums[name] = torch.zeros_like(tensor, requires_grad=False)
        generator = torch.Generator().manual_seed(seed)
        head = 0.02 * torch.randn(classes, backbone.anatomy.features, generator=generator)
        self.head = head.to(backbone.device)

    def add(self, images: Tensor, labels: Tensor) -> None:
        """A batch of normalised training images [B 3 S S] and their labels [B]."""
        logits = F.linear(self.model(images), self.head)
        loss = F.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, list(self.tensors.values()))
        for total, gradient in zip(self.sums.values(), gradients, strict=True):
            total.addcmul_(gradient, gradient)

    def sensitivity(self) -> dict[str, Tensor]:
        """Of every piece, by name, in its shape."""
        return {piece.name: self.sums[piece.tensor][piece.rows] for piece in self.terms.pieces}

    def allocation(self) -> Allocation:
        """What to train, once at least one batch has been added; `BadValue` if all is zero."""
        return allocate(self.terms, self.sensitivity())


def _with_gradient(tree: nn.Module, path: str) -> nn.Parameter:
    """A parameter of the tree's own over the same numbers, which can have a gradient."""
    parameter = nn.Parameter(tree.get_parameter(path).detach())
    bind(tree, path, parameter)
    return parameter
