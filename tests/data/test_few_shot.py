"""Which images are chosen."""

import random
from dataclasses import replace

import pytest
from pictures import encoded, picture, png, tree
from PIL import Image

from peft_demo.contracts.errors import BadData
from peft_demo.data import few_shot, readable, report_of, sorting, split
from peft_demo.data.textures import draw


def sizes(dataset, shots, seed=0) -> list[tuple[int, int, int]]:
    """(train, val, test) of each class."""
    counts = report_of(dataset, split(dataset, shots, seed)).counts
    return [(c.train, c.val, c.test) for c in counts]


@pytest.mark.parametrize(
    ("images", "shots", "expected"),
    [
        (1, 4, (1, 0, 0)),
        (2, 4, (1, 1, 0)),
        (2, 1, (1, 1, 0)),
        (3, 4, (1, 1, 1)),
        (3, 1, (1, 1, 1)),
        (5, 4, (4, 0, 1)),
        (6, 4, (4, 1, 1)),
        (10, 4, (4, 4, 2)),
        (20, 16, (16, 0, 4)),
        (20, 4, (4, 4, 4)),
        (9, 16, (7, 1, 1)),
    ],
)
def test_a_fifth_is_held_out_then_come_k_shots_then_at_most_k_to_validate(
    zipped, images, shots, expected
):
    assert sizes(zipped({"cat": images, "dog": images}), shots) == [expected] * 2


def test_a_given_test_set_is_used_whole_and_a_given_val_at_most_k(zipped):
    given = zipped({"train/a": 6, "train/b": 6, "val/a": 3, "val/b": 5, "test/a": 4, "test/b": 2})
    assert sizes(given, 4) == [(4, 3, 4), (4, 4, 2)]
    parts = split(given, 4, 0)
    assert {e.part for e in parts.train} == {"train"} and {e.part for e in parts.val} == {"val"}
    assert {e.part for e in parts.test} == {"test"}
    assert sizes(zipped({"train/a": 6, "train/b": 6, "test/a": 4, "test/b": 2}), 4) == [
        (4, 2, 4),
        (4, 2, 2),
    ]
    assert sizes(zipped({"train/a": 10, "train/b": 10, "val/a": 9, "val/b": 9}), 4) == [
        (4, 4, 2),
        (4, 4, 2),
    ]


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_the_files(zipped):
    dataset = zipped({"cat": 12, "dog": 12})
    mixed = list(dataset.examples)
    random.Random(1).shuffle(mixed)
    one = split(dataset, 3, 5)
    other = split(replace(dataset, examples=tuple(mixed)), 3, 5)
    assert one == other and one.fingerprint == other.fingerprint and one.seen == other.seen
    assert split(dataset, 3, 6).fingerprint != one.fingerprint


def test_fewer_shots_are_among_more_shots_and_the_test_images_stay(zipped):
    dataset = zipped({"cat": 20, "dog": 20})
    few = split(dataset, 2, 0)
    many = split(dataset, 8, 0)
    assert set(few.train) < set(many.train) and few.test == many.test


def test_no_image_is_in_two_parts_and_classes_keep_their_images(zipped):
    chosen = split(zipped({"cat": 15, "dog": 15}), 4, 0)
    every = chosen.train + chosen.val + chosen.test
    assert len({e.digest for e in every}) == len(every) == 22
    assert all(e.name.startswith(chosen.classes[e.label]) for e in every)
    assert len(chosen.seen) == 16 and not set(chosen.seen) & {e.digest for e in chosen.test}


def test_damaged_images_are_replaced_as_if_they_had_never_been_there(zipped):
    files = tree({"cat": 3, "dog": 3})
    whole = encoded(picture(70, side=64), "JPEG")
    broken = {f"cat/broken{n}.jpg": whole[: 2000 + n] for n in range(4)}
    dataset = zipped(files | broken)
    clean = zipped(files)
    chosen = split(dataset, 2, 0)
    assert replace(chosen, rejected=()) == split(clean, 2, 0)
    report = report_of(dataset, chosen)
    assert {name for name, _ in report.rejected} == set(broken)
    assert all("cut off" in reason for _, reason in report.rejected)
    assert [c.found for c in report.counts] == [3, 3] and not report.problem


def test_damage_without_end_is_an_error(zipped, monkeypatch):
    monkeypatch.setattr(few_shot, "_MAX_USELESS", 3)
    whole = encoded(picture(70, side=64), "JPEG")
    with pytest.raises(BadData, match="more than 3"):
        split(
            zipped(tree({"cat": 3}) | {f"dog/{n}.jpg": whole[: 2000 + n] for n in range(8)}), 2, 0
        )


def test_the_same_file_twice_is_used_once(zipped):
    dataset = zipped(
        tree({"train/a": 2, "train/b": 2, "test/a": 1, "test/b": 1}) | {"train/a/again.png": png(4)}
    )
    chosen = split(dataset, 8, 0)
    assert dict(chosen.rejected) == {"train/a/again.png": "the same picture as test/a/0.png."}


def test_near_duplicates_across_splits_are_reported(zipped):
    photo = draw(2, 0)
    again = encoded(photo.resize((200, 200)), "JPEG", quality=70)
    files = {
        f"train/a/{'01234567' * 8}.png": encoded(photo),  # as a photo of one's own is called
        "train/b/1.png": encoded(draw(5, 1)),
        "test/a/copy.jpg": again,
    }
    files |= {"test/b/other.png": encoded(draw(5, 2))}
    (notice,) = [n for n in split(zipped(files), 1, 0).notices if "duplicate" in n]
    assert (
        notice.startswith("1 near-duplicate between")
        and "train/a/01234567….png and test/a/copy.jpg." in notice
    )


def test_pictures_that_are_alike_but_differ_in_colour_are_no_duplicates(zipped):
    flat = {
        f"{part}/{c}/1.png": encoded(Image.new("RGB", (40, 40), colour))
        for (part, c), colour in FLAT.items()
    }
    assert not [n for n in split(zipped(flat), 1, 0).notices if "duplicate" in n]


FLAT = {
    ("train", "a"): "red",
    ("train", "b"): "blue",
    ("test", "a"): "orange",
    ("test", "b"): "navy",
}


def test_the_coach_says_what_is_missing(zipped):
    notices = " ".join(split(zipped({"cup": 2, "plate": 9}), 4, 0).notices)
    assert "Fewer than 4 shots to train on: 'cup' has 1." in notices
    assert "No test images of 'cup': there, test accuracy is not measured." in notices
    assert (
        "No test images: test accuracy is not measured."
        in split(zipped({"a": 2, "b": 2}), 4, 0).notices
    )
    assert not split(zipped({"a": 10, "b": 10}), 4, 0).notices


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"1.png": png(1)}, "No class was found"),
        ({"cat/1.png": png(1), "cat/2.png": png(2)}, "only one class, 'cat'"),
        ({"cat/1.png": png(1), "dog/1.png": b"broken"}, "No picture to train on in 'dog'"),
        (
            {"test/cat/1.png": png(1), "test/dog/2.png": png(2)},
            "No picture to train on in 'cat', 'dog'",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_a_problem_not_an_exception(zipped, files, problem):
    dataset = zipped(files)
    assert problem in report_of(dataset, split(dataset, 4, 0)).problem


def test_a_class_name_with_an_invisible_character_is_a_problem(zipped):
    """Folders and zips show such a character as another; a Hub dataset may name a class so."""
    dataset = replace(zipped({"cat": 2, "dog": 2}), classes=("cat", "d\u200bog"))
    report = report_of(dataset, split(dataset, 4, 0))
    assert "a character that cannot be seen" in report.problem


def test_the_report_shows_four_small_pictures_a_class(zipped):
    dataset = zipped({"cat": 9, "dog": 2})
    report = report_of(dataset, split(dataset, 4, 0))
    assert [len(c.previews) for c in report.counts] == [4, 2] and [
        c.found for c in report.counts
    ] == [9, 2]
    assert all(
        p.startswith(b"\xff\xd8") and len(p) < 20_000 for c in report.counts for p in c.previews
    )
    assert report.title == "photos" and report.classes == ("cat", "dog")


def test_a_long_list_of_rejects_is_cut(zipped):
    dataset = zipped(tree({"cat": 2, "dog": 2}) | {f"cat/{n}.jpg": b"text" for n in range(250)})
    rejected = report_of(dataset, split(dataset, 1, 0)).rejected
    assert len(rejected) == 201 and rejected[-1][0] == "and 50 more"


def test_a_very_large_test_set_is_cut(zipped, monkeypatch):
    monkeypatch.setattr(few_shot, "MAX_TEST", 6)
    dataset = zipped({"train/a": 2, "train/b": 2, "test/a": 5, "test/b": 5})
    assert sizes(dataset, 1) == [(1, 1, 3), (1, 1, 3)]
    assert "Of 10 test images 6 are used." in split(dataset, 1, 0).notices


def test_readable_sorts_out_what_cannot_be_decoded(zipped):
    whole = encoded(picture(70, side=64), "JPEG")
    good, bad = readable(
        zipped(tree({"cat": 2, "dog": 1}) | {"dog/cut.jpg": whole[:2000]}).examples
    )
    assert len(good) == 3 and [name for name, _ in bad] == ["dog/cut.jpg"]


def test_many_copies_are_one_notice(zipped):
    """F11: classes balanced by copying files."""
    files = {
        f"{c}/{n}.png": png(20 * label + n % 6) for label, c in enumerate("ab") for n in range(40)
    }
    chosen = split(zipped(files), 2, 0)
    assert not chosen.problem and len(chosen.train) == 4
    assert any("are copies of" in notice for notice in chosen.notices)
    assert len({e.digest for e in (*chosen.train, *chosen.val, *chosen.test)}) == 12


def test_a_picture_in_two_classes_is_left_out_on_both_sides(zipped):
    files = tree({"cat": 5, "dog": 5}) | {"cat/same.png": png(99), "dog/same.png": png(99)}
    chosen = split(zipped(files), 8, 0)
    names = {e.name for e in (*chosen.train, *chosen.val, *chosen.test)}
    assert not names & {"cat/same.png", "dog/same.png"} and len(names) == 10
    assert any("under different classes" in notice for notice in chosen.notices)


def test_in_a_large_set_only_chosen_pictures_are_opened(monkeypatch, zipped):
    """F12: listing is cheap; a damaged file among thousands is found if it is chosen."""
    monkeypatch.setattr(sorting, "HEADERS", 10)
    opened = []
    monkeypatch.setattr(sorting, "open_header", opened.append)
    files = tree({"cat": 10, "dog": 10}) | {f"cat/{n}x.png": b"damaged" for n in range(5)}
    chosen = split(zipped(files), 2, 0)
    assert not opened and len(chosen.train) == 4
    assert all(name.endswith("x.png") for name, _ in chosen.rejected)


def test_damage_in_the_middle_is_found(zipped):
    """P5: a JPEG that is cut, a PNG with a wrong checksum."""
    whole = encoded(picture(3, 200), "JPEG")
    broken = bytearray(png(4, 200))
    broken[len(broken) // 2] ^= 255
    files = tree({"cat": 2, "dog": 2}) | {"cat/cut.jpg": whole[:-900], "dog/bad.png": bytes(broken)}
    chosen = split(zipped(files), 8, 0)
    assert {name for name, _ in chosen.rejected} == {"cat/cut.jpg", "dog/bad.png"}


def test_one_picture_a_class_can_be_trained_on(zipped):
    """P8"""
    chosen = split(zipped({"cat": 1, "dog": 1}), 4, 0)
    assert not chosen.problem and len(chosen.train) == 2
    assert any("not measured" in notice for notice in chosen.notices)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("train", "test"), True),
        (("train", "val", "test"), False),
        (("train", "val"), False),
        (("train",), False),
        (("",), False),
    ],
)
def test_validation_images_that_are_not_from_where_the_test_images_are_are_named(
    zipped, folders, said
):
    names = [f"{folder}/{label}".strip("/") for folder in folders for label in ("a", "b")]
    chosen = split(zipped(dict.fromkeys(names, 6)), 4, 0)
    assert bool(chosen.validation) == said
    assert (chosen.validation in chosen.notices) == said


def test_a_cap_on_test_images_takes_as_many_of_each_class(zipped):
    given = zipped({"train/a": 4, "train/b": 4, "test/a": 6, "test/b": 3})
    for most, expected in ((4, [2, 2]), (1, [1, 1]), (100, [6, 3])):
        chosen = split(given, 2, 0, most_test=most).test
        assert [sum(e.label == label for e in chosen) for label in (0, 1)] == expected
    few, more = (split(given, 2, 0, most_test=most).test for most in (2, 4))
    assert set(few) < set(more)
