"""Official lists: what is read, what is refused, and how pictures are streamed."""

import field_trees as trees
import pytest
import torch

from peft_demo.bench.field.fgvc import FGVC
from peft_demo.bench.field.images import Reader, read_images, unofficial
from peft_demo.bench.field.stream import most_bytes
from peft_demo.bench.field.task import ALL
from peft_demo.bench.field.vtab import VTAB
from peft_demo.contracts.errors import BadData, UnknownName
from peft_demo.data.batches import batches

KITTI = next(task for task in VTAB.tasks if task.name == "kitti")
CUB = FGVC.tasks[0]


def test_the_nineteen_tasks_stand_in_three_groups():
    assert [len(names) for names in VTAB.groups.values()] == [7, 4, 8]
    assert sum(task.sizes["test"] for task in VTAB.tasks) == 387_905
    assert [task.name for task in VTAB.chosen("kitti,specialised")][-1] == "kitti"
    assert len(VTAB.chosen("all")) == 19 and len(VTAB.chosen("structured,kitti")) == 8
    with pytest.raises(UnknownName, match="did you mean 'kitti'"):
        VTAB.chosen("kiti")


def test_a_class_without_training_images_keeps_its_number(tmp_path):
    folder = trees.vtab(tmp_path, "kitti", 4)
    images = read_images(VTAB, VTAB.spec(tmp_path, KITTI, VTAB.testing, 0), 32)
    assert images.classes == ("0", "1", "2", "3")
    assert 3 not in images.train[1] and any(e.label == 3 for e in images.tested)
    assert len(images.train[1]) == 24 and not len(images.val[1]) and not len(images.test[1])
    counts = torch.bincount(images.train[1], minlength=4).tolist()
    assert counts[0] > counts[1] and counts[3] == 0
    tuning = read_images(VTAB, VTAB.spec(tmp_path, KITTI, VTAB.tuning, 0), 32)
    assert (len(tuning.train[1]), len(tuning.val[1]), len(tuning.tested)) == (16, 8, 0)
    assert tuning.fingerprint != images.fingerprint
    assert "16 instead of 800 in train800" in unofficial(VTAB, folder)


def test_lists_are_read_once_for_all_seeds(tmp_path):
    trees.vtab(tmp_path, "kitti", 4)
    read = Reader(VTAB, 32)
    first = read(VTAB.spec(tmp_path, KITTI, VTAB.testing, 0))
    assert read(VTAB.spec(tmp_path, KITTI, VTAB.testing, 1)) is first
    assert len(read(VTAB.spec(tmp_path, KITTI, VTAB.tuning, 1)).train[1]) == 16


def test_equal_pictures_stay_in_training_and_test(tmp_path):
    trees.vtab(tmp_path, "kitti", 4)
    images = read_images(VTAB, VTAB.spec(tmp_path, KITTI, VTAB.testing, 0), 32)
    assert len(images.tested) == 24 and images.tested[0].digest[:12] in images.seen


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("images/test/000000.jpg", "line 1 of test.txt"),
        ("images/test/000000.jpg 4", "4 classes"),
        (f"images/test/000000.jpg {'9' * 5000}", "line 1 of test.txt"),
        ("../test/000000.jpg 1", "leads out of the task's folder"),
        ("/photos/000000.jpg 1", "leads out of the task's folder"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path, line, sentence):
    (tmp_path / "kitti").mkdir()
    (tmp_path / "kitti/test.txt").write_text(line + "\n")
    with pytest.raises(BadData, match=sentence):
        VTAB.read(tmp_path / "kitti", KITTI, "test")


def test_a_task_that_is_not_there_is_named_and_one_folder_below_is_found(tmp_path):
    with pytest.raises(BadData, match=r"no kitti/train800\.txt below"):
        VTAB.folder(tmp_path, KITTI)
    trees.vtab(tmp_path / "vtab-1k", "kitti", 4)
    assert VTAB.folder(tmp_path, KITTI) == tmp_path / "vtab-1k/kitti"


def test_ids_of_fgvc_become_labels_in_their_order_over_all_lists(tmp_path):
    trees.fgvc(tmp_path, "CUB_200_2011", "images", "{c}/{part}{n}.jpg")
    spec = FGVC.spec(tmp_path, CUB, FGVC.testing, 0)
    images = read_images(FGVC, spec, 32)
    assert spec.shots == ALL and len(images.classes) == 200
    assert set(images.train[1].tolist()) == {0, 1, 2}
    assert images.train[0].shape == (24, 3, 37, 37) and images.side == 37
    tuning = read_images(FGVC, FGVC.spec(tmp_path, CUB, FGVC.tuning, 0), 32)
    assert tuning.val[0].shape == (8, 3, 32, 32)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"../a.jpg": 1}', "leads out of the task's folder"),
        ('{"images/../../a.jpg": 1}', "leads out of the task's folder"),
        ("[" * 100_000, "is missing or no JSON"),
        ("[1]", "is not one object"),
        ('{"a.jpg": true}', "is not one object"),
        ('{"a.jpg": "x"}', "is no number"),
    ],
)
def test_a_list_of_fgvc_that_is_wrong_is_refused(tmp_path, text, sentence):
    for part in ("train", "val", "test"):
        (tmp_path / f"{part}.json").write_text(text)
    with pytest.raises(BadData, match=sentence):
        FGVC.read(tmp_path, CUB, "train")


def test_other_spellings_and_roots_of_fgvc(fgvc_root):
    for task in FGVC.tasks:
        images = read_images(FGVC, FGVC.spec(fgvc_root, task, FGVC.testing, 0), 32)
        assert len(images.tested) == 24 and len(images.classes) == task.classes


def test_processes_decode_what_threads_decode_in_bounded_memory(tmp_path):
    trees.vtab(tmp_path, "kitti", 4)
    examples = VTAB.read(tmp_path / "kitti", KITTI, "test")
    here = list(batches(examples, 32, 10, 0))
    there = list(batches(examples, 32, 10, 1))
    assert [len(labels) for _, labels in here] == [10, 10, 4]
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])
    assert most_bytes(224, 224, 2) == 5 * 64 * 3 * 224**2 < 50e6
