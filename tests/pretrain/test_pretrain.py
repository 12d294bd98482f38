"""Distillation resumes to the bit, starts from random weights, writes what timm alone can load."""

import dataclasses
import itertools
import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from peft_demo.pretrain import __main__ as command
from peft_demo.pretrain import archives, parts
from peft_demo.pretrain.distil import Distillation
from peft_demo.pretrain.photos import load_photos
from peft_demo.pretrain.recipe import Recipe
from peft_demo.pretrain.student import new_student
from peft_demo.pretrain.teacher import load_teacher
from peft_demo.pretrain.views import Views
from peft_demo.pretrain.weights import KEY

RECIPE = Recipe(
    "vit_tiny_patch16_224",
    depth=3,
    size=32,
    teacher_size=32,
    batch=4,
    images=40,
    warmup=8,
    decay=16,
    views=2,
    optimiser="adamw",  # Muon works in bf16, which many CPUs are slow at
)
CPU = torch.device("cpu")


def picture(seed: int, size: int = 40) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 255, (size, size, 3), dtype=np.uint8)
    )


def encoded(seed: int) -> bytes:
    file = BytesIO()
    picture(seed).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A zip of eleven photos, one broken member and one that is no image."""
    path = tmp_path_factory.mktemp("photos") / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(11):
            archive.writestr(f"../{seed}.png", encoded(seed))
        archive.writestr("broken.png", b"no image")
        archive.writestr("readme.txt", b"not looked at")
    return path


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory):
    """Random weights under timm's names, head included."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(7)
        save_file(timm.create_model(RECIPE.teacher, pretrained=False).state_dict(), path)
    return path


def distillation(photos, teacher_file, work, **changes):
    recipe = dataclasses.replace(RECIPE, **changes)
    teacher = load_teacher(recipe.teacher, teacher_file, recipe.teacher_size, CPU)
    return Distillation(recipe, teacher, load_photos([photos], 32, work), work)


ALONE = {"depth": 12, "alone": 20, "precision": "fp32", "vectors": 3.0}
LARGER = {"views": 0, "precision": "fp32", "teacher_size": 64}


@pytest.mark.parametrize("changes", [{"optimiser": "muon"}, LARGER, ALONE])
def test_an_interrupted_run_resumes_to_the_same_bits(photos, teacher_file, tmp_path, changes):
    whole = distillation(photos, teacher_file, tmp_path / "whole", **changes)
    steps = list(whole.run())
    assert whole.seen == 40 and len(steps) == 10

    cut = distillation(photos, teacher_file, tmp_path / "cut", **changes)
    for _ in itertools.islice(cut.run(save_every=0), 4):  # the fourth step is lost with the process
        pass
    resumed = distillation(photos, teacher_file, tmp_path / "cut", **changes)
    assert resumed.step == 3
    assert list(resumed.run()) == steps[3:]
    again = resumed.student.state_dict()
    for name, tensor in whole.student.state_dict().items():
        assert torch.equal(tensor, again[name]), name


def test_mosaics_are_four_photos_and_leave_the_other_views_as_they_were():
    photos = np.stack([np.full((3, 16, 16), 25 * (i + 1), np.uint8) for i in range(8)])
    plain = Views(photos, 8, 32, 0).images(0, 0)
    mixed = Views(photos, 8, 32, 0, mosaics=0.5).images(0, 0)
    assert mixed.shape == (8, 3, 32, 32)
    same = (mixed == plain).flatten(1).all(1)
    assert 0 < same.sum() < 8  # some of each
    quarters = mixed[~same].unflatten(3, (2, 16)).unflatten(2, (2, 16))
    # One photo in each quarter, and these are of one colour; not the same one four times.
    assert quarters.std((3, 5)).max() < 1e-5
    assert quarters.mean((1, 3, 5)).flatten(1).std(1).min() > 0.01


def test_another_recipe_refuses_the_folder_but_a_longer_run_goes_on(photos, teacher_file, tmp_path):
    list(distillation(photos, teacher_file, tmp_path, images=8).run())
    assert distillation(photos, teacher_file, tmp_path, images=80).step == 2
    with pytest.raises(ValueError, match="seed"):
        distillation(photos, teacher_file, tmp_path, seed=1)


def test_the_loss_falls_and_the_rate_lands_at_zero(photos, teacher_file, tmp_path):
    run = distillation(photos, teacher_file, tmp_path, images=80)
    steps = list(run.run())
    assert np.mean([s.loss for s in steps[-5:]]) < np.mean([s.loss for s in steps[:5]])
    assert RECIPE.rate(0) == RECIPE.lr / 2 and RECIPE.rate(20) == RECIPE.lr and RECIPE.rate(40) == 0


@pytest.mark.slow
def test_parts_alone_learn_the_teachers_and_the_whole_profits(photos, teacher_file, tmp_path):
    """A part that is the teacher's makes no error.

    What the parts have learned, the whole need not learn again.
    """
    changes = ALONE | {"alone": 160, "images": 168, "decay": 168, "lr": 3e-3}
    run = distillation(photos, teacher_file, tmp_path / "alone", **changes)
    seen = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    teacher = run.targets.teacher
    assert parts.errors(teacher, teacher, seen, seen).abs().max() < 1e-9
    assert parts.errors(run.student.backbone, teacher, seen, seen).shape == (26, 2)
    steps = list(run.run())
    assert steps[39].loss < 0.7 * steps[0].loss
    unprepared = next(
        distillation(photos, teacher_file, tmp_path / "whole", **changes | {"alone": 0}).run()
    )
    assert steps[40].loss < 0.8 * unprepared.loss


def test_parts_alone_need_like_parts(photos, teacher_file, tmp_path):
    with pytest.raises(ValueError, match="--alone 0"):
        distillation(photos, teacher_file, tmp_path, alone=8)


def test_the_student_starts_at_random_and_leaves_the_generator_alone():
    before = torch.random.get_rng_state()
    first = new_student(RECIPE, 192, CPU).state_dict()
    again = new_student(RECIPE, 192, CPU).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_command_writes_weights_that_timm_loads_and_a_card(
    photos, teacher_file, tmp_path, monkeypatch, capsys
):
    labelled = tmp_path / "faces.zip"
    with zipfile.ZipFile(labelled, "w") as archive:
        for part, label, seed in itertools.product(("train", "test"), "ab", range(4)):
            archive.writestr(f"faces/{part}/{label}/{seed}.png", encoded(seed))
    out = tmp_path / "out" / "vit_mini.safetensors"
    flags = f"--photos {photos} --teacher {RECIPE.teacher} --teacher-weights {teacher_file}"
    flags += f" --work {tmp_path / 'work'} --out {out} --depth 3 --size 32 --teacher-size 32"
    flags += f" --batch 4 --images 12 --side 32 --evaluate {labelled}"
    monkeypatch.setattr("sys.argv", ["pretrain", *flags.split()])
    command.main()

    with safe_open(out, "pt") as file:
        metadata = file.metadata()
    record = json.loads(metadata[KEY])
    assert (metadata["format"], record["name"]) == ("pt", "vit_mini")
    assert record["kwargs"] == {"depth": 3, "img_size": 32}
    tensors = load_file(out)
    assert {t.dtype for t in tensors.values()} == {torch.float16}
    model = timm.create_model(record["arch"], num_classes=0, **record["kwargs"])
    model.load_state_dict(tensors, strict=True)
    teacher = load_file(teacher_file)
    # Norms and biases start alike everywhere; nothing else of the teacher is in the student.
    random = {name for name, tensor in teacher.items() if len(tensor.unique()) > 1}
    copied = [n for n in random & tensors.keys() if torch.equal(tensors[n], teacher[n].half())]
    assert not copied

    card = out.with_suffix(".md").read_text()
    assert "Apache-2.0" in card and "| faces |" in card and "12 images seen" in card
    assert "0 images seen, to 12" in capsys.readouterr().out


def test_hostile_archives_are_read_by_name_and_within_bounds(photos, tmp_path, monkeypatch):
    names = archives.members(photos)
    assert "readme.txt" not in names and len(names) == 12
    assert len(list(archives.images(photos, names))) == 11
    assert not list(photos.parent.parent.glob("*.png"))
    monkeypatch.setattr(archives, "MAX_BYTES", 10)
    assert not list(archives.images(photos, names))
    with pytest.raises(FileNotFoundError):
        archives.members(tmp_path / "missing.zip")
    with pytest.raises(ValueError, match="no readable photo"):
        load_photos([tmp_path], 32, tmp_path)


def test_pictures_of_too_many_pixels_are_left_out(photos, monkeypatch):
    monkeypatch.setattr(archives, "MAX_PIXELS", 100)
    assert not list(archives.images(photos, archives.members(photos)))
