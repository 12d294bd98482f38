"""Train an adapter on the bundled digits, then ask it about an image it has not seen.

    python examples/train_and_classify.py

Nothing is downloaded. It takes about half a minute on two CPU cores.
"""

from peft_demo import attach, load_backbone, save, train
from peft_demo.contracts.events import Evaluated
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset, split

SHOTS = 4


def show(event) -> None:
    """Prints the validation accuracy while the run goes on."""
    if isinstance(event, Evaluated):
        print(f"step {event.step}: {event.accuracy:.1%} of {event.images} validation images")


backbone = load_backbone()
adapter = train(backbone, "lora", "digits", shots=SHOTS, epochs=5, rank=8, watch=show)
save(adapter, "digits.safetensors")
print(f"test accuracy: {adapter.accuracy:.1%}")

dataset = open_dataset(DataSpec(name="digits"))
held_out = split(dataset, SHOTS, seed=0).test[0]
answer = attach(backbone, adapter).classify(held_out.read())
print(
    f"it is a {dataset.classes[held_out.label]}; answered {answer.label}, {answer.probability:.0%}"
)
