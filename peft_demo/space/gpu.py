"""ZeroGPU: the Space lends a GPU to one function for a minute, in a process forked for it.

What goes in and what comes out is pickled: a run, the backbone's name, images as arrays; then
events. Of an error only the name of its class would come back, so a sentence leaves as a `Failed`
event. "Stop" reaches the other process as a file that appears.
"""

import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import gradio as gr
import torch

from .. import training, vit
from ..adapters import AdapterFile
from ..contracts.errors import PeftDemoError, TrainingFailed
from ..contracts.events import Checkpointed, Event, Failed
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..training import Trainer
from .time_limit import stop_at

SECONDS = 60
"""What is asked of a visitor's daily quota."""
MARGIN = 15
"""How many seconds before its end a run stops and keeps its best."""


def borrowing(home: Path) -> Trainer:
    """`training.train` on a GPU of the Space; `home` is where registered backbones lie.

    `spaces` must have been imported before torch (see `app.py`).
    """
    spaces = import_module("spaces")  # only a Space has it
    on_gpu = spaces.GPU(duration=SECONDS)(work)

    def train(
        run: RunSpec,
        backbone: vit.Backbone,
        material: FewShotTensors,
        stop: Callable[[], bool],
        state: bytes = b"",
        origin: AdapterFile | None = None,
    ) -> Generator[Event, None, None]:
        with TemporaryDirectory() as folder:
            flag = Path(folder) / "stop"
            name = backbone.name, backbone.size, backbone.fingerprint
            events = on_gpu(run, name, _arrays(material), str(home), str(flag), state, origin)
            try:
                for event in events:
                    if stop():
                        flag.touch()
                    yield event
            except gr.Error as error:
                hint = "Your quota may be used up: try later, with fewer epochs, or signed in."
                raise TrainingFailed(
                    f"the GPU of this Space gave up: {error.message}.", hint
                ) from None
            finally:
                events.close()

    return train


def work(
    run: RunSpec,
    name: tuple[str, int, str],
    material: FewShotTensors,
    home: str,
    flag: str,
    state: bytes = b"",
    origin: AdapterFile | None = None,
) -> Iterator[Event]:
    """The other process: loads the backbone anew, on the device that is there, and trains.

    Its checkpoints stay there: a run of a minute starts again.
    """
    torch.set_num_threads(1)  # OpenMP's other threads do not live through a fork
    ends = monotonic() + SECONDS - MARGIN
    (backbone, size, fingerprint) = name
    try:
        loaded = vit.load(backbone, size, home=Path(home), offline=True, fingerprint=fingerprint)
        images = _tensors(material)
        train = partial(training.train, run, loaded, images, state=state, origin=origin)
        why = f"this Space lends its GPU for {SECONDS - MARGIN} s"
        for event in stop_at(ends, why, train, Path(flag).exists):
            if not isinstance(event, Checkpointed):
                yield event
    except PeftDemoError as error:
        yield Failed(error.sentence, error.hint)
    except Exception:
        traceback.print_exc()  # into the log of the Space: only its class comes back
        raise


def _arrays(material: FewShotTensors) -> FewShotTensors:
    """numpy arrays are pickled by value; tensors would be shared by handles of this process."""
    return _each(material, lambda tensor: tensor.numpy())


def _tensors(material: FewShotTensors) -> FewShotTensors:
    return _each(material, torch.from_numpy)


def _each(material: FewShotTensors, change: Callable) -> FewShotTensors:
    return replace(
        material,
        **{part: tuple(map(change, getattr(material, part))) for part in ("train", "val", "test")},
    )
