"""Everything a run depends on besides the photos."""

from dataclasses import dataclass

FREE = ("images", "alone", "decay", "lr", "mosaics")
"""Settings that may change when a run resumes."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a run. Lengths are counted in images seen."""

    teacher: str
    arch: str = "vit_tiny_patch16_224"
    depth: int = 6
    size: int = 112
    teacher_size: int = 112
    batch: int = 128
    images: int = 1_000_000
    alone: int = 0
    """The first so many images teach each part alone; needs the teacher's depth and width."""
    warmup: int = 20_000
    decay: int = 250_000
    lr: float = 1e-3
    vectors: float = 1.0
    """Norms, biases and positions learn at lr times this."""
    weight_decay: float = 0.05
    mosaics: float = 0.0
    """Share of the views that show four photos, for fine detail."""
    views: int = 4
    """Passes that ask the teacher; later passes repeat them. 0: every pass asks anew."""
    seed: int = 0
    precision: str = "bf16"
    optimiser: str = "muon"
    """For the blocks' matrices; "adamw" where bf16, in which Muon works, is slow."""

    def rate(self, seen: int) -> float:
        """Learning rate at `seen` images: warm-up, constant, linear decay over the last `decay`.

        The plateau (Zhai et al., arXiv:2106.04560) leaves the length open: resume with other
        `images` to go on or to land.
        """
        warming = (seen + self.batch) / self.warmup
        landing = (self.images - seen) / self.decay
        return self.lr * max(min(1.0, warming, landing), 0.0)
