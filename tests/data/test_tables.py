"""Labels in tables, as people write them (F3, F4)."""

import io
import json
from pathlib import Path

import pytest
from pictures import arranged, flags, named, places, png, write_folder

from peft_demo.contracts.errors import BadData
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset

NAMES = [f"images/{n}.jpg" for n in range(8)]
HALVES = {"": {"cat": 4, "dog": 4}}


def label(n: int) -> str:
    return "cat" if n % 2 else "dog"


def table(row, head: str = "file,label", rows: int = 8) -> str:
    """A table of one line for each picture."""
    return "\n".join([head, *(row(n) for n in range(rows))]) + "\n"


PLAIN = table(lambda n: f"{n}.jpg,{label(n)}")
RECORDS = [{"file_name": f"images/{n}.jpg", "label": label(n)} for n in range(8)]


def parquet() -> bytes:
    import pyarrow
    from pyarrow import parquet as writer

    file = io.BytesIO()
    writer.write_table(pyarrow.Table.from_pylist(RECORDS), file)
    return file.getvalue()


def csv(cell, head: str = "file,label") -> tuple[str, str]:
    """A CSV whose rows are a cell that names the picture, and its class."""
    return "labels.csv", table(lambda n: f"{cell(n)},{label(n)}", head)


def by_path(value) -> tuple[str, str]:
    return "labels.json", json.dumps({f"images/{n}.jpg": value(n) for n in range(8)})


BY_CLASS = {c: [f"{n}.jpg" for n in range(8) if label(n) == c] for c in ("cat", "dog")}
ONES = table(lambda n: f"{n}.jpg,{n % 2},{1 - n % 2}", "filename,cat,dog")
FORMS = {
    "CSV": ("labels.csv", PLAIN),
    "semicolons, a byte order mark": ("a.csv", b"\xef\xbb\xbf" + PLAIN.replace(",", ";").encode()),
    "tabs in UTF-16": ("labels.tsv", PLAIN.replace(",", "\t").encode("utf-16")),
    "line ends of an old Mac": ("labels.csv", PLAIN.replace("\n", "\r")),
    "no header": ("labels.csv", PLAIN.partition("\n")[2]),
    "a column of numbers first": csv(lambda n: f"{9 - n},{n}.jpg", ",file,label"),
    "ids without a suffix": csv(str, "id,breed"),
    "another suffix": csv(lambda n: f"{n}.png"),
    "capitals": csv(lambda n: f"{n}.JPG"),
    "backslashes": csv(lambda n: f"images\\{n}.jpg"),
    "paths of another machine": csv(lambda n: f"C:\\Users\\me\\set\\images\\{n}.jpg"),
    "addresses": csv(lambda n: f"https://host/set/images/{n}.jpg?size=3"),
    "the same row twice": ("labels.csv", PLAIN + PLAIN.partition("\n")[2]),
    "zeros and ones": ("_classes.csv", ONES),
    "a list": ("list.txt", "\n".join(f"images/{n}.jpg {label(n)}" for n in range(8))),
    "a list with tabs": ("list.txt", "\n".join(f"{n}.jpg\t{label(n)}\t0\t0" for n in range(8))),
    "JSON lines": ("metadata.jsonl", "\n".join(map(json.dumps, RECORDS))),
    "a JSON list": ("labels.json", json.dumps(RECORDS)),
    "a JSON list under a name": ("labels.json", json.dumps({"data": RECORDS})),
    "JSON by path": by_path(label),
    "JSON records by path": by_path(lambda n: {"label": label(n)}),
    "JSON by class": ("labels.json", json.dumps(BY_CLASS)),
    "parquet": ("metadata.parquet", parquet()),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_gives_the_classes(form):
    """F4"""
    name, content = FORMS[form]
    dataset = arranged(NAMES, {name: content})
    assert places(dataset) == HALVES
    assert name in dataset.reading and name not in dict(dataset.rejected)


def test_a_table_in_each_split():
    """F3: the layout of Hugging Face's imagefolder."""
    names = named({"train": 6, "test": 6})
    rows = table(lambda n: f"{n}.png,{label(n)}", "file_name,label", rows=6)
    dataset = arranged(names, {"train/metadata.csv": rows, "test/metadata.csv": rows})
    assert places(dataset) == {part: {"cat": 3, "dog": 3} for part in ("train", "test")}
    assert dataset.reading.startswith("two splits, train and test; classes from column 'label'")


def test_a_table_beside_train_and_test():
    """F3: as at Kaggle, with a table of the unlabelled test pictures and one of class names."""
    names = [f"train_images/{n}.jpg" for n in range(8)] + [f"test_images/{n}.jpg" for n in (20, 21)]
    texts = {
        "train.csv": table(lambda n: f"{n}.jpg,{n % 2}", "image_id,label"),
        "test.csv": "image_id\n20.jpg\n21.jpg\n",
        "names.json": '{"0": "healthy", "1": "ill"}',
    }
    dataset = arranged(names, texts)
    assert places(dataset) == {"train": {"0": 4, "1": 4}}
    assert dict(dataset.rejected)["test.csv"] == "a table that is not used."


def test_a_table_next_to_the_folder(tmp_path):
    """F3, F4"""
    write_folder(tmp_path / "set", {f"{n}.png": png(n, 8) for n in range(8)})
    (tmp_path / "labels.csv").write_text(PLAIN.replace("jpg", "png"))
    spec = DataSpec("folder", "set")
    assert places(open_dataset(spec, tmp_path / "set")) == HALVES
    (tmp_path / "elsewhere.csv").write_text(table(lambda n: f"{n}.png,{'ab'[n // 4]}"))
    said = DataSpec("folder", "set", labels=str(tmp_path / "elsewhere.csv"))
    assert open_dataset(said, tmp_path / "set").classes == ("a", "b")
    with pytest.raises(BadData, match=r"no table 'none\.csv'"):
        open_dataset(DataSpec("folder", "set", labels="none.csv"), tmp_path / "set")


SPLIT_COLUMNS = {
    "words": ("split", lambda n: "train" if n < 6 else "test"),
    "yes and no": ("is_train", lambda n: int(n < 6)),
    "true and false": ("test", lambda n: n >= 6),
}


@pytest.mark.parametrize("kind", SPLIT_COLUMNS)
def test_a_column_gives_the_splits(kind):
    column, cell = SPLIT_COLUMNS[kind]
    rows = table(lambda n: f"{n}.jpg,{label(n)},{cell(n)}", f"file,label,{column}")
    dataset = arranged(NAMES, {"labels.csv": rows})
    assert places(dataset) == {"train": {"cat": 3, "dog": 3}, "test": {"cat": 1, "dog": 1}}


NUMBERED = table(lambda n: f"{n}.jpg,{label(n)},{n // 2 % 3}.0", "file,label,fold")


def test_a_column_of_splits_in_numbers_is_told_and_read_as_a_person_says():
    dataset = arranged(NAMES, {"labels.csv": NUMBERED})
    assert places(dataset) == HALVES
    told = " ".join(dataset.notices)
    assert "'fold' of labels.csv may say splits; it is not used" in told
    assert "--splits" in told and "'0', '1', '2'" in told
    said = arranged(NAMES, {"labels.csv": NUMBERED}, splits="train=0+1,test=2")
    assert places(said) == {"train": {"cat": 3, "dog": 3}, "test": {"cat": 1, "dog": 1}}
    assert "fold" not in " ".join(said.notices) and "fold=2→test" in said.reading
    some = arranged(NAMES, {"labels.csv": NUMBERED}, splits="train=0,test=2")
    assert "does not name '1' of the column 'fold'" in " ".join(some.notices)
    assert not arranged(NAMES, {"labels.csv": NUMBERED}, splits="none").notices
    by_folder = arranged([f"{label(n)}/{n}.jpg" for n in range(8)], {"labels.csv": NUMBERED})
    assert "--classes-from table" in " ".join(by_folder.notices)


@pytest.mark.parametrize("column", ["split", "is_test", "cv_fold", "Partition", "subset"])
def test_only_what_is_called_like_splits_and_is_not_read_is_told(column):
    rows = NUMBERED.replace("fold", column, 1)
    assert "not used" in " ".join(arranged(NAMES, {"labels.csv": rows}).notices)
    words = rows.replace("0.0", "test").replace("1.0", "train").replace("2.0", "train")
    read = arranged(NAMES, {"labels.csv": words})
    assert "not used" not in " ".join(read.notices)
    other = NUMBERED.replace("fold", "folder", 1)
    assert "not used" not in " ".join(arranged(NAMES, {"labels.csv": other}).notices)


def test_a_table_that_sorts_the_folders_is_a_doubt_and_can_be_chosen():
    names = named({f"patient_{n}": 3 for n in range(6)})
    texts = {"patients.csv": table(lambda n: f"Patient_{n},{40 + n},{label(n)}", "id,age,dx")}
    dataset = arranged(names, texts)
    assert len(dataset.classes) == 6
    assert "patients.csv gives a label to each folder" in dataset.doubt
    assert "--labels patients.csv" in flags(dataset)
    said = arranged(names, texts, labels="patients.csv")
    assert places(said) == {"": {"cat": 9, "dog": 9}} and not said.doubt
    assert "one patient" in " ".join(said.notices)


def test_a_table_of_the_classes_themselves_is_no_doubt():
    names = named(dict.fromkeys("abcdef", 3))
    texts = {"names.csv": table(lambda n: f"{'abcdefgh'[n]},{n},Long {n}", "id,number,name")}
    assert not arranged(names, texts).doubt


def test_a_person_names_a_column_or_the_splits_in_it():
    rows = table(lambda n: f"{n}.jpg,{label(n)},{'xy'[n // 4]}", "file,label,room")
    texts = {"labels.csv": rows}
    assert "--label-column room" in flags(arranged(NAMES, texts))
    assert arranged(NAMES, texts, label_column="room").classes == ("x", "y")
    with pytest.raises(BadData, match="no column 'nope'"):
        arranged(NAMES, texts, label_column="nope")
    with pytest.raises(BadData, match="no table has a column 'nope'"):
        arranged(NAMES, texts, image_column="nope")
    with pytest.raises(BadData, match="nothing here is called"):
        arranged(NAMES, texts, splits="train=here")


@pytest.mark.parametrize("column", ["target", "class_id", "y", "Klasse", "dx"])
def test_columns_of_classes_have_many_names(column):
    rows = table(lambda n: f"{n}.jpg,{label(n)},{30 + n}", f"file,{column},age")
    assert arranged(NAMES, {"labels.csv": rows}).label_column == column


def test_two_columns_that_may_be_the_classes_are_a_doubt():
    rows = table(lambda n: f"{n}.jpg,{n % 2},{n % 3}", "file,a,b")
    dataset = arranged(NAMES, {"labels.csv": rows})
    assert "'a', 'b'" in dataset.doubt and flags(dataset) == ["--label-column b"]


def test_what_is_missing_is_said():
    cells = ("NA", "cat", "dog", "nan", "", "dog", "cat", "null")
    rows = table(lambda n: f"{n}.jpg,{cells[n]}") + "99.jpg,cat\n"
    dataset = arranged(NAMES, {"labels.csv": rows})
    assert places(dataset) == {"": {"cat": 2, "dog": 2}}
    assert any("4 rows without a label" in notice for notice in dataset.notices)
    assert any("1 row of labels.csv without a picture" in notice for notice in dataset.notices)
    assert dict(dataset.rejected)["images/0.jpg"] == "no table gives it a class."


def test_numbers_beside_a_gap_are_whole():
    rows = table(lambda n: f"{n}.jpg,{('1.0', '0.0', '')[n % 3]}")
    assert arranged(NAMES, {"labels.csv": rows}).classes == ("0", "1")


def test_a_picture_with_two_labels_is_left_out():
    dataset = arranged(NAMES, {"labels.csv": PLAIN + "1.jpg,emu\n"})
    assert places(dataset) == {"": {"cat": 3, "dog": 4}}
    assert any("more than one label" in notice for notice in dataset.notices)


REFUSED = {
    "several ones in a row": (table(lambda n: f"{n}.jpg,1,{n % 2}", "file,cat,dog"), "multi-label"),
    "several words in a cell": (
        table(lambda n: f"{n}.jpg,{('a|b', 'a', 'b', 'b|c')[n % 4]}"),
        "several labels",
    ),
    "boxes": (
        table(lambda n: f"{n}.jpg,cat,1,2\n{n}.jpg,dog,3,4", "filename,class,xmin,ymin"),
        "detection",
    ),
    "fractions": (table(lambda n: f"{n}.jpg,{1.37 * n}", "file,price"), "fractions"),
    "another value in every row": (table(lambda n: f"{n}.jpg,x{n}"), "nearly every row"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_table_of_classes_is_refused_by_name(kind):
    content, why = REFUSED[kind]
    problem = arranged(NAMES, {"labels.csv": content}).problem
    assert why in problem and "labels.csv" in problem


def test_tables_that_contradict_each_other_are_named():
    swapped = table(lambda n: f"{n}.jpg,{label(n + 1)}")
    texts = {"labels.csv": PLAIN, "old.csv": swapped}
    problem = arranged(NAMES, texts).problem
    assert "labels.csv and old.csv give different labels" in problem and "--labels" in problem
    assert places(arranged(NAMES, texts, labels="old.csv")) == HALVES


def test_files_of_the_same_name_belong_to_the_split_of_their_table():
    names = named({"train": 4, "test": 4})
    texts = {
        "train.csv": table(lambda n: f"{n}.png,{label(n)}", rows=4),
        "test.csv": table(lambda n: f"{n}.png,{label(n + 1)}", rows=4),
    }
    dataset = arranged(names, texts)
    halves = {"cat": 2, "dog": 2}
    assert places(dataset) == {"train": halves, "test": halves}
    first = {e.name: dataset.classes[e.label] for e in dataset.examples}
    assert first["train/0.png"] == "dog" and first["test/0.png"] == "cat"


def test_a_spreadsheet_is_named():
    dataset = arranged(NAMES, {"labels.xlsx": b"PK"})
    assert "save it as CSV" in dict(dataset.rejected)["labels.xlsx"]


def test_folders_and_a_table_that_disagree_are_a_doubt():
    names = [f"{label(n)}/{n}.jpg" for n in range(8)]
    agreeing = arranged(names, {"labels.csv": PLAIN})
    assert agreeing.doubt == "" and not agreeing.alternatives
    for other in (lambda n: label(n + 1), lambda n: "xy"[n // 4]):
        rows = table(lambda n, other=other: f"{n}.jpg,{other(n)}")
        dataset = arranged(names, {"labels.csv": rows})
        assert "other classes than the folders" in dataset.doubt
        assert flags(dataset) == ["--classes-from table"]
        said = arranged(names, {"labels.csv": rows}, classes_from="table")
        assert places(said)[""] == {other(0): 4, other(7): 4}


def test_a_table_sorts_the_parts_of_a_set():
    names = [f"images_00{n // 4}/{n}.jpg" for n in range(8)]
    dataset = arranged(names, {"data.csv": table(lambda n: f"{n},{label(n)}", "image_id,dx")})
    assert places(dataset) == HALVES


def test_a_table_completes_the_class_folders():
    """As in Tiny ImageNet: folders for training, a list for validation."""
    names = named({"train/cat/images": 2, "train/dog/images": 2}) + named({"val/images": 4})
    rows = "\n".join(f"{n}.png\t{label(n)}\t0\t0" for n in range(4))
    dataset = arranged(names, {"val/val_annotations.txt": rows})
    assert places(dataset) == {"train": {"cat": 2, "dog": 2}, "val": {"cat": 2, "dog": 2}}


def test_lists_of_names_give_the_splits_and_folders_the_classes():
    """As in Food-101 (paths) and Pascal VOC (names alone)."""
    names = [f"images/{c}/{c}{n}.jpg" for c in ("cat", "dog") for n in range(3)]
    for stem in ("{c}/{c}{n}", "{c}{n}", "images/{c}/{c}{n}.jpg"):
        lines = [[stem.format(c=c, n=n) for c in ("cat", "dog")] for n in range(3)]
        texts = {
            "meta/train.txt": "\n".join(lines[0] + lines[1]),
            "meta/test.txt": "\n".join(lines[2]),
        }
        dataset = arranged(names, texts)
        assert places(dataset) == {"train": {"cat": 2, "dog": 2}, "test": {"cat": 1, "dog": 1}}
        assert flags(dataset) == ["--splits none"]


def test_a_damaged_table_is_none():
    for name in ("labels.csv", "labels.json", "metadata.jsonl", "list.txt"):
        dataset = arranged(NAMES, {name: b"\x00\xff\xfe{[" * 9})
        assert dataset.problem == "" and len(dataset.classes) == 1
    with pytest.raises(BadData, match="parquet"):
        arranged(NAMES, {"metadata.parquet": b"PAR1 no"})


def test_a_table_of_a_zip_cannot_be_a_file_of_this_machine(tmp_path):
    """What the page sends is never a path."""
    secret = tmp_path / "secret.csv"
    secret.write_text(PLAIN)
    assert Path(secret).is_file()
    with pytest.raises(BadData, match="no table"):
        arranged(NAMES, labels=str(secret))


def test_a_table_without_a_header_loses_no_row():
    """F3: the first row was taken for names, where pictures are named without suffix."""
    rows = "".join(f"img{n},{'cat' if n % 2 else 'dog'}\n" for n in range(8))
    dataset = arranged(named_in("photos", 8), {"labels.csv": rows})
    assert places(dataset) == {"": {"cat": 4, "dog": 4}}
    numbered = "0,1\n" + "".join(f"{n},{'cat' if n % 2 else 'dog'}\n" for n in range(8))
    assert places(arranged(NAMES, {"labels.csv": numbered})) == {"": {"cat": 4, "dog": 4}}


@pytest.mark.parametrize("start", ["sep=,\n", "# exported by hand\n\n"])
def test_what_stands_before_the_header(start):
    """F4"""
    dataset = arranged(named_in("photos", 8), {"labels.csv": start + rows_of("file,label", 8)})
    assert dataset.label_column == "label"
    assert places(dataset) == {"": {"cat": 4, "dog": 4}}


def test_splits_of_several_words_in_a_column():
    """FER2013: "Training", "PublicTest", "PrivateTest"."""
    usage = ("Training", "Public Test", "Private Test")
    rows = [f"img{n}.png,{'cat' if n % 2 else 'dog'},{usage[n % 3]}" for n in range(12)]
    table = "\n".join(["file,emotion,Usage", *rows])
    dataset = arranged(named_in("photos", 12), {"fer.csv": table})
    assert places(dataset) == {"train": {"dog": 2, "cat": 2}, "test": {"cat": 4, "dog": 4}}


def test_two_tables_with_labels_are_a_doubt():
    """F3: one of them was taken in silence."""
    tables = {"a.csv": rows_of("file,label", 8), "b.csv": rows_of("file,species", 8)}
    dataset = arranged(named_in("photos", 8), tables)
    assert "b.csv has labels too" in dataset.doubt
    assert "--labels b.csv" in flags(dataset)


def test_a_table_that_names_no_picture_is_told():
    """F4: the set was refused without a word of its table."""
    dataset = arranged(named_in("photos", 4), {"labels.csv": "id,label\n71,cat\n72,dog\n"})
    assert "No column of labels.csv names pictures of the set" in dataset.problem
    assert "71, cat" in dataset.problem


def test_a_damaged_table_beside_the_set_is_nothing_to_it(tmp_path):
    """A download that lies in the same folder by chance."""
    (tmp_path / "other.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "1.png").write_bytes(png())
    dataset = open_dataset(DataSpec("folder", str(tmp_path / "set")))
    assert dataset.classes == ()


def named_in(folder, count):
    return [f"{folder}/img{n}.png" for n in range(count)]


def rows_of(header, count):
    rows = [f"img{n}.png,{'cat' if n % 2 else 'dog'}" for n in range(count)]
    return "\n".join([header, *rows])
