"""The first and the last event of a run."""

from typing import TYPE_CHECKING

from ..contracts.events import Finished, Started
from .measure import memory_mb

if TYPE_CHECKING:
    from .train import Run


def started(run: "Run") -> Started:
    """What the run is about to do."""
    return Started(
        steps=run.steps,
        steps_per_epoch=run.steps_per_epoch,
        trainable=run.adapter.trainable,
        head=run.adapter.head_parameters,
        share=run.adapter.trainable / run.backbone.parameters,
        classes=run.material.classes,
        train_images=len(run.material.train[1]),
        val_images=len(run.material.val[1]),
        test_images=len(run.material.test[1]),
        device=run.backbone.device.type,
        fingerprint=run.fingerprint,
        precision=run.recipe.precision,
    )


def ended(run: "Run", event: type[Finished], file_bytes: int) -> Finished:
    """What came of the run, as this event."""
    fingerprint = run.backbone.live_fingerprint()
    seconds = run.stopwatch.since_start
    return event(
        step=run.step,
        best_step=run.kept.step,
        val_accuracy=run.measured.val_accuracy,
        test_accuracy=run.measured.test_accuracy,
        test_images=run.measured.test_images,
        seconds=seconds,
        images_per_second=run.images_per_second(run.step),
        memory_mb=memory_mb(run.backbone.device),
        trainable=run.adapter.trainable,
        head=run.adapter.head_parameters,
        file_bytes=file_bytes,
        fingerprint=fingerprint,
        unchanged=fingerprint == run.fingerprint,
        precision=run.recipe.precision,
        learning_s=run.stopwatch.seconds,
        validation_s=run.validating.seconds,
        end_s=seconds - run.end_begins,
    )
