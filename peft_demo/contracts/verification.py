"""Whether an adapter, or an export of one, answers the probe pictures as it did when it was
made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verification:
    """What came of asking it again."""

    by: str
    """What asked: the program and what it was asked through."""
    difference: float
    """The largest between a logit and the one that was kept."""
    tolerance: float
    same_answers: bool
    """Whether the likeliest class of both pictures is the one it was."""
    agrees: bool
    notes: tuple[str, ...] = ()
    """Sentences: what may be wrong, or what there is to know where it agrees."""

    @property
    def sentence(self) -> str:
        """All of it in words."""
        verdict = "answers as it did" if self.agrees else "answers otherwise than it did"
        answers = "the same" if self.same_answers else "another"
        return (
            f"It {verdict} when it was made: logits of the probe pictures differ by at most"
            f" {self.difference:.2g} (tolerance {self.tolerance:.2g}), the likeliest class is"
            f" {answers}. Asked by {self.by}."
        )
