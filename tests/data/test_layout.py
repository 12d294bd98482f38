"""Folders as people have them: which are splits, which classes, and what is said where it is not
sure."""

import pytest
from pictures import arranged, flags, named, places, png, write_folder, write_zip

from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset

TWO = {"cat": 2, "dog": 2}


def each(*outer: str, inner=("cat", "dog"), count: int = 2) -> list[str]:
    """Pictures in every inner folder of every outer one."""
    return named({f"{folder}/{name}": count for folder in outer for name in inner})


@pytest.mark.parametrize(
    ("train", "other", "part"),
    [
        ("train", "eval", "val"),
        ("train", "dev", "val"),
        ("train", "holdout", "test"),
        ("training", "testing", "test"),
        ("tr", "val", "val"),
        ("Train", "TEST", "test"),
        ("1_train", "2_valid", "val"),
        ("01 Training", "02 Validation", "val"),
        ("training_set", "test_set", "test"),
        ("Training Data", "Test Data", "test"),
        ("x_train", "x_test", "test"),
        ("train2017", "val2017", "val"),
        ("trainset", "testset", "test"),
        ("images/train", "images/val", "val"),
        ("set/train", "set/eval", "val"),
        ("seg_train/seg_train", "seg_test/seg_test", "test"),
        ("training_set/training_set", "test_set/test_set", "test"),
        ("entrainement", "validation", "val"),
        ("Lernbilder", "Validierung", "val"),
        ("Trainingsdaten", "Testdaten", "test"),
        ("entrenamiento", "prueba", "test"),
        ("训练集", "测试集", "test"),
    ],
)
def test_splits_have_many_names(train, other, part):
    """F1, F2"""
    dataset = arranged(each(train, other))
    assert places(dataset) == {"train": TWO, part: TWO}
    assert dataset.reading.startswith("two splits") and not dataset.doubt


def test_the_reading_says_what_was_understood():
    """F1"""
    dataset = arranged(each("train", "eval"))
    expected = "two splits, train and eval→validation; classes from folders below them"
    assert dataset.reading == expected


def test_a_split_without_labels_is_left_out_with_a_line():
    """F2: test1 as at Kaggle."""
    for flat in ("test", "test1", "test1/test1", "unlabeled"):
        dataset = arranged(each("train") + named({flat: 3}))
        assert places(dataset) == {"train": TWO}
        assert any("3 pictures" in notice and "left out" in notice for notice in dataset.notices)


def test_splits_may_stand_below_each_class_or_in_its_name():
    expected = {"train": TWO, "test": TWO}
    below = arranged(each("cat", "dog", inner=("train", "test")))
    joined = arranged(named({"cat_train": 2, "dog_train": 2, "cat_test": 2, "dog_test": 2}))
    swapped = arranged(named({"train_cat": 2, "train_dog": 2, "test_cat": 2, "test_dog": 2}))
    assert places(below) == places(joined) == places(swapped) == expected
    assert "--splits none" in flags(joined)


def test_without_images_to_train_on_another_split_is_offered():
    assert "--splits train=test" in flags(arranged(each("test")))
    assert "--splits train=val,test=test" in flags(arranged(each("val", "test")))


def test_a_person_says_what_the_splits_are():
    names = each("a", "b", "c")
    said = arranged(names, splits="train=a+b,test=c")
    assert places(said) == {"train": {"cat": 4, "dog": 4}, "test": TWO}
    assert set(arranged(names, splits="none").classes) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("folders", "about"),
    [
        (each("train", "bus", inner=("day", "night")), "'train' looks like a split"),
        (named({"cat": 2, "dog": 2, "test": 2}), "'test' looks like a split"),
        (each("photo", "sketch", inner=("cat", "dog")), "hold folders of the same names"),
        (each("fold_0", "fold_1", "fold_2"), "hold folders of the same names"),
        (named({"part_1": 2, "part_2": 2}), "look like parts of one set"),
        (named({"images_001": 2, "images_002": 2}), "look like parts of one set"),
        (named({"cat": 2, "dog": 2, "all_images": 2}), "'all_images' is read as a class"),
    ],
)
def test_what_may_be_no_class_is_a_doubt(folders, about):
    """Nothing that might be a split, a part or a copy of the set is a class in silence."""
    assert about in arranged(folders).doubt


@pytest.mark.parametrize("classes", [("0", "1"), ("c1", "c2"), ("cat", "dog"), ("class_1", "b")])
def test_plain_classes_are_no_doubt(classes):
    dataset = arranged(named(dict.fromkeys(classes, 2)))
    assert dataset.doubt == "" and not dataset.alternatives


def test_of_two_levels_one_is_taken_and_the_other_offered():
    """R2"""
    names = named({"animals/cat": 2, "animals/dog": 2, "vehicles/car": 2})
    dataset = arranged(names)
    assert dataset.classes == ("animals", "vehicles")
    assert flags(dataset) == ["--classes-from parent"]
    assert arranged(names, classes_from="parent").classes == ("car", "cat", "dog")


def test_clips_below_a_class_are_no_second_level():
    """P3"""
    dataset = arranged(each("run", "jump", inner=("clip1", "clip2")))
    assert dataset.classes == ("jump", "run") and dataset.doubt == ""


def test_a_copy_of_the_set_is_left_out():
    """P1, P2"""
    inner = arranged(each("chest/train", "chest/test", "chest/chest/train", "chest/chest/test"))
    assert places(inner) == {"train": TWO, "test": TWO}
    sample = arranged(each("train", "valid", "sample/train", "sample/valid"))
    assert places(sample) == {"train": TWO, "val": TWO}
    again = arranged(named({"cat": 2, "dog": 2}) + each("set"))
    assert places(again) == {"": TWO}
    for dataset in (inner, sample, again):
        assert any("a copy of the set" in notice for notice in dataset.notices)


def test_what_programs_leave_behind_is_no_class(tmp_path):
    """P4, R4: NAS and sync programs; a folder that begins with a dot is named."""
    litter = ("@eaDir", "#recycle", "$RECYCLE.BIN", ".ipynb_checkpoints", "__MACOSX")
    litter += ("Network Trash Folder", "TheVolumeSettingsFolder", "Temporary Items")
    left_behind = {f"{name}/cat": 1 for name in litter}
    names = named({"cat": 1, "dog": 1, "cat/@eaDir": 1, ".net": 1, **left_behind})
    files = {name: png(number, 8) for number, name in enumerate(names)}
    write_folder(tmp_path / "photos", files)
    write_zip(tmp_path / "photos.zip", files)
    for spec in ("photos", "photos.zip"):
        source = "zip" if spec.endswith("zip") else "folder"
        dataset = open_dataset(DataSpec(source, spec), tmp_path / spec)
        assert places(dataset) == {"": {"cat": 1, "dog": 1}}
        assert any("'.net'" in notice for notice in dataset.notices)


@pytest.mark.parametrize("name", ["results", "_unsorted", "predictions", "docs", "New Folder"])
def test_a_leftover_beside_classes_is_a_doubt(name):
    """R4's kind: it became a class in silence."""
    dataset = arranged(named({"cat": 2, "dog": 2, name: 2}))
    assert repr(name) in dataset.doubt
    assert not arranged(named({"cat": 2, "dog": 2, "other": 2})).doubt


def test_masks_and_thumbnails_are_no_pictures_of_a_class():
    beside = arranged(named({"images/cat": 2, "images/dog": 2, "masks/cat": 2, "masks/dog": 2}))
    inside = arranged(each("cat", "dog", inner=("images", "masks")))
    names = named(TWO)
    suffixed = arranged(names + [name.replace(".png", "_mask.png") for name in names])
    for dataset in (beside, inside, suffixed):
        assert places(dataset) == {"": TWO}
        assert any("mask" in notice for notice in dataset.notices)
    sizes = arranged(names + [name.replace(".png", "-150x150.png") for name in names])
    assert places(sizes) == {"": TWO} and "thumbnail" in sizes.notices[0]
    assert arranged(named({"masks": 2, "hats": 2})).classes == ("hats", "masks")


def test_classes_may_be_in_the_names_of_files():
    """R3"""
    names = [f"images/{breed}_{n}.jpg" for breed in ("Abyssinian", "pug") for n in range(3)]
    dataset = arranged(names)
    assert flags(dataset) == ["--classes-from name"]
    assert "'Abyssinian', 'pug'" in dataset.problem
    said = arranged(names, classes_from="name")
    assert places(said) == {"": {"Abyssinian": 3, "pug": 3}}
    assert not arranged([f"IMG_{n}.jpg" for n in range(6)]).alternatives


def test_class_names_that_are_nearly_the_same_are_noticed():
    """R14"""
    for names in (("Cat", "cat"), ("ice cream", "ice-cream"), ("cat", "cat (1)"), ("café", "cafe")):
        dataset = arranged(named(dict.fromkeys(names, 2)))
        assert len(dataset.classes) == 2
        assert any("kept apart" in notice for notice in dataset.notices), names
    missing = arranged(named({"nan": 2, "cat": 2}))
    assert any("'nan' looks like a missing label" in notice for notice in missing.notices)


def test_odd_class_names_are_kept():
    """P10"""
    names = ("🐈 cat", "con", "x" * 200, "a b")
    assert set(arranged(named(dict.fromkeys(names, 1))).classes) == set(names)


def test_files_above_the_set_are_named_whole():
    dataset = arranged(named({"images/cat": 1, "images/dog": 1}), {"notes.md": "hello"})
    assert dict(dataset.rejected) == {"notes.md": "this is not a picture."}


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ({"a.json": '{"images": [], "annotations": [], "categories": []}'}, "COCO"),
        ({"labels/0.txt": "0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.3 0.3"}, "YOLO"),
        ({"Annotations/0.xml": "<annotation><object/></annotation>"}, "Pascal VOC"),
    ],
)
@pytest.mark.parametrize("folder", ["images", "train"])
def test_a_detection_set_is_refused_by_name(texts, kind, folder):
    dataset = arranged(named({folder: 2}), texts)
    assert kind in dataset.problem and "detection" in dataset.problem


def test_several_sets_beside_each_other_are_not_mixed():
    sets = each("birds", "cars", inner=("train/a", "train/b", "test/a", "test/b"))
    assert "several sets" in arranged(sets).problem
