"""At its end a run learns how much its answers are worth."""

import pytest
import torch
from small import coloured, fitted, images, material, random_vit

from peft_demo.adapters import AdapterFile, load
from peft_demo.contracts.doubt import LEAST_IMAGES, LIMIT, STEPS
from peft_demo.contracts.events import Improved
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.inference import Attached
from peft_demo.inference.calibration import temperature
from peft_demo.inference.probes import probe_logits
from peft_demo.methods import find_method, methods
from peft_demo.training import calibrated, going_on, train


def ended(
    backbone, method="lora", val=2 * LEAST_IMAGES, epochs=3, head_lr=1e-3, **knobs
) -> AdapterFile:
    """The file of a run that has ended."""
    values = {**fitted(find_method(method), backbone), **knobs}
    recipe = Recipe(epochs=epochs, batch=8, head_lr=head_lr)
    run = RunSpec(method, values, DataSpec(shots=8), recipe=recipe)
    events = train(run, backbone, material(val=val))
    return AdapterFile.parse([e for e in events if type(e) is Improved][-1].adapter)


def attached(file: AdapterFile, backbone) -> Attached:
    return Attached.of(backbone, load(file, backbone), file.card)


@pytest.mark.parametrize("name", sorted(methods()))
def test_every_method_knows_what_is_none_of_its_classes(tiny, name):
    file = ended(tiny, name, epochs=1)
    assert len(file.card.doubt) == STEPS
    model = attached(file, tiny)
    pictures, _ = coloured(30, 5)
    said = model.answer(pictures, batch=7)
    assert said.doubts.shape == (30,) and said.doubts.min() >= 0 and said.doubts.max() <= 1
    x = images(3)
    with torch.inference_mode():
        assert torch.equal(model.adapter.head(model.features(x)), model.model(x))


def test_noise_is_none_of_the_colours(tiny):
    model = attached(ended(tiny), tiny)
    noise = torch.randint(0, 256, (30, 3, 32, 32), dtype=torch.uint8)
    own, _ = coloured(30, 5)
    assert (model.answer(noise).doubts > LIMIT).float().mean() > 0.9
    assert (model.answer(own).doubts > LIMIT).float().mean() < 0.2


@pytest.mark.parametrize(
    "options", [{}, {"method": "bi_lora", "head_bits": 1}, {"method": "linear"}, {"val": 0}]
)
def test_a_run_ends_with_what_its_calibrated_adapter_answers_to_the_probes(tiny, options):
    file = ended(tiny, **options)
    expected = probe_logits(attached(file, tiny).model, tiny)
    assert torch.allclose(torch.tensor(file.probes.logits), expected, atol=1e-6)
    assert expected.abs().max() > 1e-3


def test_a_file_that_is_calibrated_later_is_probed_again(tiny):
    file = ended(tiny, val=0)
    shown = material(val=2 * LEAST_IMAGES)
    later = calibrated(file, tiny, shown)
    factor = later.card.temperature
    before, after = (torch.tensor(one.probes.logits) for one in (file, later))
    assert factor != pytest.approx(1, abs=1e-3)
    assert torch.allclose(after * factor, before, rtol=1e-3, atol=1e-4)


def test_with_fewer_validation_images_it_says_nothing_and_is_not_calibrated(tiny):
    file = ended(tiny, val=LEAST_IMAGES - 1)
    assert file.card.doubt == () and file.card.temperature is None
    assert "class_means" not in file.header.tensors
    said = attached(file, tiny).answer(coloured(3, 5)[0])
    assert said.doubts is None and said.doubt(0) is None


def test_its_probabilities_are_as_true_on_validation_images_as_one_temperature_makes_them(tiny):
    file = ended(tiny, epochs=10, head_lr=1e-2)
    pictures, labels = coloured(2 * LEAST_IMAGES, 1)
    logits = attached(file, tiny).answer(pictures).probabilities.log()
    assert temperature(logits, labels) == pytest.approx(1, abs=0.01)
    assert file.card.temperature != pytest.approx(1, abs=0.01)


def test_a_quantised_head_is_calibrated_too(tiny):
    file = ended(tiny, "bi_lora", head_bits=1)
    assert file.card.temperature != 1
    model = attached(file, tiny)
    means = model.adapter.class_means
    assert means is not None and means.dtype == torch.int8


def test_a_run_goes_on_from_an_adapter_that_doubts():
    backbone = random_vit()
    origin = ended(backbone)
    run = going_on(RunSpec(data=DataSpec(shots=8), recipe=Recipe(epochs=1, batch=8)), origin)
    events = list(train(run, backbone, material(val=0), origin=origin))
    file = AdapterFile.parse([e for e in events if type(e) is Improved][-1].adapter)
    assert file.card.doubt == () and "class_means" not in file.header.tensors
