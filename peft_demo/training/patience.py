"""Whether a run has become no better for so long that it ends."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .train import Run


def out_of_patience(run: "Run") -> bool:
    """Whether the last validations brought no higher accuracy, as many as the recipe waits for."""
    accuracies = [accuracy for _, accuracy in run.measured.accuracies]
    waited = len(accuracies) - 1 - accuracies.index(max(accuracies)) if accuracies else 0
    return 0 < run.recipe.patience <= waited


def patience_notice(run: "Run") -> str:
    """Why the run ends here."""
    validations = "validation" if run.recipe.patience == 1 else "validations"
    return (
        f"No better for {run.recipe.patience} {validations}: "
        f"the run ends after step {run.step} of {run.steps}."
    )
