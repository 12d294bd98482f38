"""Two adapters on one frozen backbone: swapped in microseconds, and mixed in one forward pass.

    python examples/swap_and_mix.py

Nothing is downloaded: the adapters are two of those that come with the project.
"""

from pathlib import Path
from time import perf_counter

from peft_demo import attach, load, load_backbone
from peft_demo.adapters import Mixed
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import decode, open_dataset, split, to_tensor
from peft_demo.inference import answer_together, top_classes

ZOO = Path(__file__).parents[1] / "adapters_zoo"
NAMES = ("lora-digits-s0", "lora-shapes-s0")

backbone = load_backbone()
files = {name: load(ZOO / f"{name}.safetensors") for name in NAMES}
picture = split(open_dataset(DataSpec(name="digits")), shots=4, seed=0).test[0].read()

print("Swapping: each adapter is attached once, then it is only chosen.")
models = {name: attach(backbone, file) for name, file in files.items()}
for name in NAMES:
    began = perf_counter()
    model = models[name]
    microseconds = 1e6 * (perf_counter() - began)
    answer = model.classify(picture)
    print(f"  {name}: {answer.label}, {answer.probability:.0%}; chosen in {microseconds:.1f} µs")

print("Mixing: one forward pass, each image answered by its own adapter.")
group = [models[name].attached for name in NAMES]
mixed = Mixed(backbone, [attached.adapter for attached in group]).eval()
images = to_tensor(decode(picture), backbone.size).expand(len(NAMES), -1, -1, -1)
answers = answer_together(mixed, group, images, range(len(group)))
for attached, said in zip(group, answers, strict=True):
    label, probability = top_classes(said.probabilities[0], attached.card.classes, top=1)[0]
    print(f"  {attached.card.name}: {label}, {probability:.0%}")
