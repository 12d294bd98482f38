"""Hub datasets, from a local stand-in: the streams that `datasets` would give, without the
network."""

from itertools import pairwise

import pytest
from pictures import png

from peft_demo.contracts.errors import BadData, BadValue
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset, report_of, split
from peft_demo.data.hub_columns import image_column, label_column
from peft_demo.data.sources import hub

ANIMALS = ["cat", "dog", "emu"]


class Counted:
    """A stream that counts its rows; the three steps of `_narrow` leave it as it is."""

    def __init__(self, rows, features):
        self.rows = rows
        self.features = features
        self.read = 0

    def shuffle(self, seed, buffer_size):
        return self

    def select_columns(self, columns):
        return self

    def cast_column(self, column, feature):
        return self

    def __iter__(self):
        for row in self.rows:
            self.read += 1
            yield row


@pytest.fixture
def parquet(tmp_path, monkeypatch):
    """parquet(train=..., test=...) makes hub "owner/name" these rows: [(picture, label), ...]."""
    datasets = pytest.importorskip("datasets")
    features = {
        "id": datasets.Value("int64"),
        "img": datasets.Image(),
        "kind": datasets.ClassLabel(names=ANIMALS),
    }
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)

    def build(**splits):
        files = {}
        for name, rows in splits.items():
            columns = {
                "id": range(len(rows)),
                "img": [{"bytes": d} for d, _ in rows],
                "kind": [k for _, k in rows],
            }
            columns = {k: list(v) for k, v in columns.items()}
            files[name] = str(tmp_path / f"{name}.parquet")
            datasets.Dataset.from_dict(columns, datasets.Features(features)).to_parquet(files[name])
        streams = datasets.load_dataset(
            "parquet", data_files=files, streaming=True, cache_dir=str(tmp_path)
        )
        monkeypatch.setattr(hub, "_streams", lambda name: streams)
        return open_dataset(DataSpec("hub", "owner/name", shots=2))

    return build


@pytest.fixture
def streams(monkeypatch):
    """streams(spec, train=[(cell, label), ...]) opens plain rows with columns "image" and
    "label"."""

    def build(spec=None, features=None, **splits):
        from datasets import ClassLabel, Image

        features = features or {"image": Image(decode=False), "label": ClassLabel(names=ANIMALS)}
        made = {
            n: Counted([{"image": c, "label": k} for c, k in rows], features)
            for n, rows in splits.items()
        }
        monkeypatch.setattr(hub, "_streams", lambda name: made)
        return open_dataset(spec or DataSpec("hub", "owner/name", shots=2)), made

    return build


def rows(count: int, start: int = 0) -> list[tuple[bytes, int]]:
    return [(png(start + n, 12), n % 3) for n in range(count)]


def test_a_parquet_set_with_embedded_pictures(parquet):
    dataset = parquet(train=rows(60), test=rows(12, 100))
    assert dataset.classes == tuple(ANIMALS)
    assert (dataset.image_column, dataset.label_column) == ("img", "kind") and dataset.columns == (
        "id",
        "img",
        "kind",
    )
    assert dataset.reading == "two splits, train and test; pictures from 'img', classes from 'kind'"
    chosen = split(dataset, 2, 0)
    report = report_of(dataset, chosen)
    assert [(c.train, c.val, c.test) for c in report.counts] == [(2, 2, 4)] * 3
    assert report.columns == ("id", "img", "kind") and report.image_column == "img"
    labels = {png(n, 12): n % 3 for n in range(60)}
    assert all(labels[e.read()] == e.label for e in chosen.train)


def test_only_as_many_rows_are_read_as_needed(streams):
    _, made = streams(train=rows(900), test=rows(3, 900))
    assert made["train"].read == 12  # two shots and two to validate, of three classes
    assert made["test"].read == 3
    _, made = streams(train=rows(900))
    assert made["train"].read == 15  # one more of each is held out


def test_a_stream_that_lacks_a_class_is_given_up(streams, monkeypatch):
    monkeypatch.setattr(hub, "MAX_ROWS", 40)
    dataset, made = streams(train=[(png(n, 12), n % 2) for n in range(200)], test=rows(3, 300))
    assert made["train"].read == 40
    assert dataset.classes == ("cat", "dog")
    assert any("'emu'" in n and "first 40 rows" in n for n in dataset.notices)


def test_unlabelled_broken_and_repeated_rows_are_left_out(streams):
    bad = [(png(1, 12), -1), (b"text", 0), (None, 1), (png(1, 12), 2), (png(1, 12), 2)]
    cells = [({"bytes": data, "path": None}, label) for data, label in bad + rows(30, 50)]
    dataset, _ = streams(train=cells)
    assert [name for name, _ in dataset.rejected] == ["train 2", "train 3"]
    assert any("1 rows without a label" in n for n in dataset.notices)
    assert len({e.digest for e in dataset.examples}) == len(dataset.examples)


def test_a_row_cannot_make_us_read_a_file_of_this_machine(streams, tmp_path):
    (tmp_path / "secret.png").write_bytes(png(1))
    places = [
        str(tmp_path / "secret.png"),
        f"file://{tmp_path}/secret.png",
        f"zip://x::file://{tmp_path}/secret.png",
    ]
    dataset, _ = streams(train=[({"bytes": None, "path": p}, 0) for p in places] + rows(30))
    assert len(dataset.rejected) == 3 and all(
        "no picture" in reason for _, reason in dataset.rejected
    )


def test_labels_may_be_words_or_numbers(streams):
    from datasets import Image, Value

    features = {"image": Image(decode=False), "label": Value("string")}
    dataset, _ = streams(
        features=features, train=[(png(n, 12), ("10", "9", None)[n % 3]) for n in range(30)]
    )
    assert dataset.classes == ("9", "10")


def test_columns_are_guessed_by_kind_then_by_name():
    from datasets import ClassLabel, Image, Value

    def peek(columns):
        return {name: [1, 2, 1, 2] for name in columns}

    features = {
        "id": Value("int64"),
        "label": Value("int64"),
        "coarse": ClassLabel(names=["a"]),
        "x": Image(),
    }
    assert image_column("", features) == "x"
    assert label_column("", features, "x", peek).column == "coarse"
    del features["coarse"], features["x"]
    assert label_column("", features, "", peek).column == "label"
    assert label_column("id", features, "", peek).column == "id"
    bare = {"photo": {"bytes": Value("binary"), "path": Value("string")}, "blob": Value("binary")}
    assert image_column("", bare) == "photo"
    with pytest.raises(BadData, match="no column of pictures"):
        image_column("", features)
    with pytest.raises(BadData, match="the columns are id, label"):
        image_column("pic", features)


def test_the_spec_overrides_the_guess(parquet):
    parquet(train=rows(60))
    with pytest.raises(BadData, match="no column 'nope'"):
        open_dataset(DataSpec("hub", "owner/name", label_column="nope"))
    numbered = open_dataset(DataSpec("hub", "owner/name", shots=1, label_column="id"))
    assert numbered.label_column == "id" and all(
        a <= b for a, b in pairwise(map(int, numbered.classes))
    )


def test_split_names_are_understood():
    names = ["train", "validation", "test", "extra"]
    assert hub.split_parts(names) == {"train": "train", "validation": "val", "test": "test"}
    assert hub.split_parts(["full", "test"]) == {"full": "train", "test": "test"}
    assert hub.split_parts(["test"]) == {"test": ""}
    assert hub.split_parts(["train", "eval"]) == {"train": "train", "eval": "val"}
    assert hub.split_parts(["a", "b"], {"b": "train"}) == {"b": "train"}


@pytest.mark.parametrize("name", ["imagefolder", "../../etc", "/etc/passwd", "a/b/c", "a/..", ""])
def test_only_names_of_the_hub_are_asked_for(name):
    with pytest.raises(BadValue, match="OWNER/NAME"):
        open_dataset(DataSpec("hub", name))


def test_a_folder_of_that_name_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    with pytest.raises(BadValue, match="folder here"):
        open_dataset(DataSpec("hub", "owner/name"))


def test_whatever_the_network_raises_becomes_a_sentence(monkeypatch):
    def broken(name):
        raise ConnectionError("Couldn't reach 'owner/name' on the Hub\nand more")

    monkeypatch.setattr(hub, "_streams", broken)
    with pytest.raises(BadData, match="Couldn't reach") as caught:
        open_dataset(DataSpec("hub", "owner/name"))
    assert "\n" not in str(caught.value)


def guessed(columns: dict, **types) -> tuple[str, list[str]]:
    """(the column of classes, the others that are offered), by the cells of some rows."""
    from datasets import Image, Value

    features = {"image": Image(), **{name: types.get(name, Value("string")) for name in columns}}
    labels = label_column("", features, "image", lambda names: {n: columns[n] for n in names})
    return labels.column, [other.choice[0][1] for other in labels.alternatives]


def test_a_column_of_file_names_is_no_label():
    """F25"""
    rows = range(40)
    columns = {
        "name": [f"photo_{n}.jpg" for n in rows],
        "diagnosis": [("nevus", "melanoma")[n % 2] for n in rows],
        "patient": [f"p{n}" for n in rows],
    }
    assert guessed(columns) == ("diagnosis", [])


def test_a_class_label_comes_before_a_column_of_splits():
    from datasets import ClassLabel

    columns = {"split": ["train", "test"] * 20, "label": [0, 1] * 20}
    types = {"split": ClassLabel(names=["train", "test"]), "label": ClassLabel(names=["a", "b"])}
    assert guessed(columns, **types)[0] == "label"
    assert guessed({"split": ["train", "test"] * 20, "kind": ["a", "b"] * 20})[0] == "kind"


SCENES = [
    f"{sky} {ground}{water}"
    for sky in ("clear", "haze")
    for ground in ("forest", "field", "road", "town", "bare")
    for water in ("", " river", " lake")
]
"""Two or three of nine words, in all combinations: as in the Planet set of satellite pictures."""


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([[0, 1], [1], [0, 1, 2]] * 9, "several labels"),
        ([0.37 * n for n in range(27)], "fractions"),
        (["a|b", "a", "b|c"] * 9, "several labels"),
        ([{"x": 1}] * 27, "records"),
        ([f"x{n}" for n in range(27)], "nearly every row"),
        (SCENES * 3, "several labels"),
        ([None] * 27, "empty"),
    ],
)
def test_what_cannot_be_a_label_is_refused_with_the_flag(cells, why):
    """R13"""
    with pytest.raises(BadData, match=why) as caught:
        guessed({"labels": cells})
    assert "--label-column" in caught.value.hint


@pytest.mark.parametrize("cells", [[[0, 1], [1, 0]] * 9, [[0], [1]] * 9, [0.0, 1.0] * 9])
def test_one_hot_lists_and_whole_numbers_are_labels(cells):
    """R13"""
    assert guessed({"labels": cells}) == ("labels", [])


def test_two_columns_that_may_be_the_classes_are_a_doubt_and_offered(streams):
    """F25"""
    columns = {"a": ["x", "y"] * 20, "b": ["u", "v", "w", "u"] * 10}
    assert guessed(columns) == ("a", ["b"])
