"""LoRA as one writes it by hand on a timm model: the yardstick. It uses nothing of this project."""

from timm.layers.attention import Attention
from timm.models.swin_transformer import WindowAttention
from torch import Tensor, nn

RANK = 8


class PlainLoRA(nn.Module):
    """timm's fused qkv [... D] → [... 3D] with a low-rank product added to q and to v."""

    def __init__(self, qkv: nn.Linear, rank: int = RANK):
        super().__init__()
        D = qkv.in_features
        self.qkv = qkv
        self.D = D
        self.q_down = nn.Linear(D, rank, bias=False)
        self.v_down = nn.Linear(D, rank, bias=False)
        self.q_up = nn.Linear(rank, D, bias=False)
        self.v_up = nn.Linear(rank, D, bias=False)
        nn.init.zeros_(self.q_up.weight)
        nn.init.zeros_(self.v_up.weight)

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(x)
        qkv[..., : self.D] += self.q_up(self.q_down(x))
        qkv[..., -self.D :] += self.v_up(self.v_down(x))
        return qkv


def plain_lora(model: nn.Module, classes: int) -> nn.Module:
    """`model` itself, frozen, with a new head and a `PlainLoRA` around every fused qkv.

    Only a qkv that timm calls as a module counts: those of plain ViTs and of Swin.
    """
    model.requires_grad_(False)
    model.reset_classifier(classes)  # pyright: ignore[reportCallIssue]  every timm model has it
    for module in list(model.modules()):
        if isinstance(module, Attention | WindowAttention):
            setattr(module, "qkv", PlainLoRA(module.qkv))  # noqa: B010  timm declares a Linear
    return model
