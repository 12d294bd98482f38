"""The real thing on the bundled backbone at 32 px: photos in, adapter out, hot-swapped."""

import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep

import pytest
import torch
from PIL import Image

from peft_demo import adapters, inference
from peft_demo.contracts.data_map import TRAINING
from peft_demo.contracts.errors import BadAdapter, BadData, BadImage, NotAllowed, UnknownName
from peft_demo.contracts.events import Failed, Finished, Saved, Started, Stepped, Stopped
from peft_demo.contracts.service import Service
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.data import decode, to_tensor
from peft_demo.storage import adapter_header


@pytest.fixture
def ready(studio, adapter_file):
    """A studio with two adapters in its zoo, their ids, and a photo's path."""
    return studio, [studio.zoo.take(adapter_file), studio.zoo.take(adapter_file)]


def test_it_answers_all_that_the_service_promises(studio):
    wanted = {name for name in vars(Service) if not name.startswith("_")} | set(
        Service.__annotations__
    )
    assert {name for name in wanted if not hasattr(studio, name)} == set()


def test_photos_in_adapter_out(studio, short, photos, finish):
    run = studio.training.start(short("lora", epochs=6), owner="me")
    events = finish(studio, run)
    started = next(e for e in events if isinstance(e, Started))
    assert started.classes == ("blue", "green", "red") and started.train_images == 6
    assert len([e for e in events if isinstance(e, Stepped)]) == 6
    last = events[-1]
    assert type(last) is Finished and last.unchanged and last.fingerprint == started.fingerprint

    (listed,) = studio.training.runs()
    assert (listed.id, listed.state, listed.val_accuracy) == (run, "done", last.val_accuracy)
    (entry,) = studio.zoo.entries()
    assert (
        entry.id == listed.adapter and entry.refusal == "" and entry.file_bytes == last.file_bytes
    )
    assert studio.training.status().state == "done" and studio.training.status().device == "cpu"

    card = studio.zoo.card(entry.id)
    assert str(photos) not in entry.card.to_json().__repr__(), "no path of this machine in the card"
    assert card.test_accuracy == last.test_accuracy

    (answer,) = studio.answers.classify(photos / "red" / "7.png", [entry.id], top=2)
    assert answer.adapter == entry.id and len(answer.top) == 2 and answer.ms > 0
    assert {label for label, _ in answer.top} < {"blue", "green", "red"}
    assert answer.probability >= answer.top[1][1]


def test_a_restarted_studio_finds_the_run_and_replays_it(studio, short, finish, open_studio):
    run = studio.training.start(short())
    events = finish(studio, run)
    page = open_studio(studio.home.root, allow_local_paths=False)
    assert (
        page.training.runs()[0].spec.data.name
        == Path(studio.training.runs()[0].spec.data.name).name
    ), "a page is told no paths"
    again = open_studio(studio.home.root)
    assert again.training.follow(run) == (events, again.training.follow(run)[1])
    assert again.training.status().run == run and again.training.status().state == "done"
    assert again.training.runs()[0].spec == studio.training.runs()[0].spec


def test_stop_keeps_the_best(studio, short, finish):
    run = studio.training.start(short(epochs=1000))
    while studio.training.status().step < 2:
        sleep(0.01)
    assert studio.training.runs()[0].state == "running"
    studio.training.stop(run)
    events = finish(studio, run)
    assert type(events[-1]) is Stopped and events[-1].step < 1000
    kept = next(e for e in reversed(events) if isinstance(e, Saved))
    assert studio.answers.classify(picture(), [kept.adapter])[0].top


def test_only_its_owner_stops_a_run_where_many_share(tmp_path, open_studio, short, finish):
    studio = open_studio(tmp_path, shared=True)
    run = studio.training.start(short(epochs=1000), owner="me")
    with pytest.raises(NotAllowed, match="somebody else"):
        studio.training.stop(run, owner="you")
    studio.training.stop(run, owner="me")
    assert isinstance(finish(studio, run)[-1], Stopped)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"method": "lroa"}, "did you mean 'lora'"),
        ({"knobs": {"rank": 10**6}}, "rank takes"),
        ({"backbone": "nope"}, "no backbone 'nope'"),
        ({"size": 33}, "33 px"),
    ],
)
def test_a_wrong_spec_is_refused_before_anything_starts(studio, short, change, sentence):
    with pytest.raises(Exception, match=sentence):
        studio.training.start(replace(short("lora"), **change))
    assert studio.training.runs() == [] and studio.training.status().state == "idle"


def test_data_that_cannot_be_trained_on_fails_the_run_with_a_sentence(studio, tmp_path, finish):
    (tmp_path / "only").mkdir()
    picture_file(tmp_path / "only" / "1.png")
    last = finish(
        studio,
        studio.training.start(RunSpec("linear", data=DataSpec("folder", str(tmp_path)), size=32)),
    )[-1]
    assert isinstance(last, Failed) and "class" in last.sentence


def test_a_broken_training_step_fails_the_run_and_the_next_one_works(
    studio, short, finish, monkeypatch
):
    def out_of_memory(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.AdamW, "step", out_of_memory)
        last = finish(studio, studio.training.start(short()))[-1]
    assert isinstance(last, Failed) and "memory ran out" in last.sentence and last.hint
    assert isinstance(finish(studio, studio.training.start(short()))[-1], Finished)


# answers
def test_choosing_an_adapter_that_is_in_memory_takes_less_than_a_tenth_of_a_millisecond(ready):
    studio, ids = ready
    studio.answers.classify(picture(), ids)
    times = []
    for _ in range(50):
        for id in ids:
            began = perf_counter()
            studio.answers._predictor.choose(id)
            times.append(perf_counter() - began)
    assert sorted(times)[len(times) // 2] < 1e-4


@pytest.fixture
def header_reads(monkeypatch):
    """Names of the files whose header was read so far."""
    names = []
    parse = adapter_header.parse_header

    def count(stream, name, *arguments):
        names.append(name)
        return parse(stream, name, *arguments)

    monkeypatch.setattr(adapter_header, "parse_header", count)
    return names


def test_importing_and_classifying_each_read_a_header_once(studio, adapter_file, header_reads):
    id = studio.zoo.take(adapter_file)
    assert header_reads == [adapter_file.name]
    studio.answers.classify(picture(), [id])
    assert header_reads[1:] == [f"{id}.safetensors"]


def test_what_was_judged_is_what_is_stored(studio, adapter_file, tmp_path, monkeypatch):
    """Also when the file changes between check and store."""
    path = tmp_path / "mine.safetensors"
    path.write_bytes(adapter_file.read_bytes())
    check = studio.zoo.check

    def check_and_change(file):
        check(file)
        path.write_bytes(b"something else")

    monkeypatch.setattr(studio.zoo, "check", check_and_change)
    id = studio.zoo.take(path)
    assert studio.zoo.file(id).read_bytes() == adapter_file.read_bytes()


def test_a_prediction_is_what_the_attached_model_says(ready, adapter_file):
    studio, ids = ready
    (answer,) = studio.answers.classify(picture(), ids[:1], top=3)
    file = adapters.AdapterFile.open(adapter_file)
    backbone, adapter = studio.answers._predictor.load(file)
    card = file.card
    images = to_tensor(decode(picture()), 32)[None]
    chances = inference.outputs(
        adapters.attach(backbone, adapter).eval(), images, backbone
    ).softmax(-1)[0]
    assert dict(answer.top) == dict(zip(card.classes, chances.tolist(), strict=True))


def test_a_failed_load_changes_nothing(ready):
    studio, ids = ready
    before = studio.answers.classify(picture(), ids)
    broken = studio.zoo.file(ids[1])
    content = broken.read_bytes()
    broken.write_bytes(content[:-40])
    with pytest.raises(BadAdapter):
        studio.answers.classify(picture(), [ids[1]])
    assert [p.top for p in studio.answers.classify(picture(), ids[:1])] == [before[0].top]
    broken.write_bytes(content)
    assert [p.top for p in studio.answers.classify(picture(), ids)] == [p.top for p in before]


def test_a_file_that_changed_is_loaded_again(ready):
    studio, ids = ready
    studio.answers.classify(picture(), ids)
    for old in ("blue", "green", "red"):
        studio.zoo.rename_class(ids[0], old, old.upper())
    assert studio.answers.classify(picture(), ids)[0].label.isupper()
    studio.zoo.delete(ids[0])
    with pytest.raises(UnknownName, match="no adapter"):
        studio.answers.classify(picture(), ids)


def test_what_is_no_picture_is_a_sentence(ready, tmp_path):
    studio, ids = ready
    for bad in (b"", b"hello", tmp_path / "nope.png"):
        with pytest.raises(BadImage):
            studio.answers.classify(bad, ids)


def test_a_run_and_answers_beside_it_keep_their_bits(ready, open_studio, short, finish, tmp_path):
    studio, ids = ready
    quiet = open_studio(tmp_path / "quiet")
    finish(quiet, quiet.training.start(short("lora", epochs=20)))
    alone = [p.top for p in studio.answers.classify(picture(), ids)]
    run = studio.training.start(short("lora", epochs=20))
    asked = 0
    while studio.training.busy:
        assert [p.top for p in studio.answers.classify(picture(), ids)] == alone
        asked += 1
    assert asked > 1
    finish(studio, run)
    assert tensors(studio, studio.training.runs()[0].adapter) == tensors(
        quiet, quiet.training.runs()[0].adapter
    )


def test_evaluate_leaves_out_what_was_trained_on(ready, photos):
    studio, ids = ready
    score = studio.answers.evaluate(ids[0], DataSpec("folder", str(photos)))
    assert score.left_out == len(studio.zoo.card(ids[0]).seen) > 0
    assert score.images + score.left_out == 24
    assert sum(n for _, _, n in score.per_class) == score.images
    assert score.accuracy == pytest.approx(sum(a * n for _, a, n in score.per_class) / score.images)


def test_evaluate_says_where_it_errs(ready, photos):
    studio, ids = ready
    data = DataSpec("folder", str(photos))
    score = studio.answers.evaluate(ids[0], data, pictures=True)
    assert score.right == sum(row[n] for n, row in enumerate(score.confusion))
    assert sum(map(sum, score.confusion)) == score.images
    low, high = score.interval
    assert low < score.accuracy <= high
    wrong = [picture.wrong for picture in score.pictures]
    assert wrong == sorted(wrong, reverse=True) and len(wrong) <= score.images
    for shown in score.pictures:
        assert score.confusion[shown.label][shown.answer] > 0
        assert shown.picture.startswith(b"\xff\xd8") and 0 < shown.probability <= 1
    assert not studio.answers.evaluate(ids[0], data).pictures


def test_evaluate_finds_the_test_images_of_its_own_run(
    studio, open_studio, short, finish, tmp_path
):
    """Also after the adapter was renamed; elsewhere it says that they are not there."""
    finish(studio, studio.training.start(short()))
    adapter = studio.training.runs()[0].adapter
    card = studio.zoo.card(adapter)
    score = studio.answers.evaluate(adapter)
    assert (score.images, score.left_out) == (card.test_images, 0)
    assert score.accuracy == pytest.approx(card.test_accuracy)
    renamed = studio.zoo.rename(adapter, "renamed")
    assert studio.answers.evaluate(renamed).images == card.test_images
    elsewhere = open_studio(tmp_path / "elsewhere")
    foreign = elsewhere.zoo.take(studio.zoo.file(renamed))
    with pytest.raises(BadData, match="not on this machine"):
        elsewhere.answers.evaluate(foreign)


def test_a_map_is_of_the_images_that_evaluate_takes(ready, photos):
    studio, ids = ready
    data = DataSpec("folder", str(photos))
    said = []
    drawn = studio.answers.map(ids[0], data, report=lambda what, fraction=-1.0: said.append(what))
    score = studio.answers.evaluate(ids[0], data)
    assert (len(drawn.pictures), drawn.mistakes) == (score.images, score.images - score.right)
    assert {"looking at pictures", "drawing"} <= set(said)


def test_a_map_finds_the_images_of_its_own_run(studio, short, finish):
    finish(studio, studio.training.start(short()))
    adapter = studio.training.runs()[0].adapter
    drawn = studio.answers.map(adapter, part=TRAINING)
    assert len(drawn.pictures) == 6 and drawn.before == drawn.after
    with pytest.raises(BadData, match="a map takes 5 pictures, and here are 3"):
        studio.answers.map(adapter)


def test_merged_weights_answer_like_the_adapter(ready, tmp_path):
    from safetensors.torch import load_file
    from timm import create_model

    studio, ids = ready
    studio.zoo.merge(ids[0], tmp_path / "merged.safetensors")
    backbone, adapter = studio.answers._predictor.load(
        adapters.AdapterFile.open(studio.zoo.file(ids[0]))
    )
    plain = create_model(backbone.arch, num_classes=3, **dict(_bundled().kwargs))
    plain.set_input_size(img_size=(32, 32))
    plain.load_state_dict(load_file(tmp_path / "merged.safetensors"))
    images = to_tensor(decode(picture()), 32)[None]
    ours = inference.outputs(adapters.attach(backbone, adapter).eval(), images, backbone)
    assert torch.allclose(inference.outputs(plain, images, backbone), ours, atol=1e-5)


def _bundled():
    from peft_demo.vit.catalogue import bundled

    return bundled()


# what comes from outside
def test_import_checks_the_tensors_too(studio, adapter_file, tmp_path):
    content = bytearray(adapter_file.read_bytes())
    content[-4:] = b"\x00\x00\xc0\x7f"  # a NaN at the end of the last tensor
    (tmp_path / "nan.safetensors").write_bytes(content)
    with pytest.raises(BadAdapter, match="not a finite"):
        studio.zoo.take(tmp_path / "nan.safetensors")
    assert studio.zoo.entries() == []


def test_an_adapter_for_an_unknown_backbone_is_taken_in_and_listed_with_the_reason(
    studio, adapter_file, tmp_path
):
    card = adapters.read_card(adapter_file)
    stranger = replace(card, backbone="somebody_elses_vit", fingerprint="0" * 64)
    content = adapters.AdapterFile.open(adapter_file).with_card(stranger).content
    (tmp_path / "s.safetensors").write_bytes(content)
    id = studio.zoo.take(tmp_path / "s.safetensors")
    (entry,) = studio.zoo.entries()
    assert entry.id == id and "somebody_elses_vit" in entry.refusal and entry.card is not None
    with pytest.raises(UnknownName, match="no backbone"):
        studio.answers.classify(picture(), [id])


def test_zoo_can_ask_for_one_backbone(ready):
    studio, _ = ready
    own = studio.zoo.backbones()[0].name
    assert [e.refusal for e in studio.zoo.entries(own)] == ["", ""]
    assert all("not on" in e.refusal for e in studio.zoo.entries("vit_base_patch16_224.orig_in21k"))


def test_a_page_may_name_no_paths(tmp_path, photos, adapter_file, open_studio, short):
    studio = open_studio(tmp_path, allow_local_paths=False)
    for ask in (
        lambda: studio.data.check(DataSpec("folder", str(photos))),
        lambda: studio.data.check(DataSpec("zip", str(photos) + ".zip")),
        lambda: studio.training.start(short()),
        lambda: studio.training.start(RunSpec("linear"), out=tmp_path / "x"),
        lambda: studio.zoo.add_backbone(tmp_path / "x.safetensors"),
    ):
        with pytest.raises(NotAllowed):
            ask()
    for word in (str(adapter_file), "../" + adapter_file.name):
        with pytest.raises(UnknownName):
            studio.zoo.find(word)
        with pytest.raises(UnknownName):
            studio.answers.classify(picture(), [word])
    assert open_studio(tmp_path).zoo.find(str(adapter_file)) == str(adapter_file)


def test_class_cards_train_under_whatever_name(studio, photos, short, finish):
    names = {"red": "<img src=x onerror=alert(1)>", "blue": "7/8", "green": "train"}
    for folder, label in names.items():
        studio.data.drafts.put("browser-1", label, sorted((photos / folder).glob("*.png")))
    data = DataSpec("draft", "browser-1", shots=2)
    report = studio.data.check(data)
    assert set(report.classes) == set(names.values()) and report.problem == ""
    assert report.rejected == (), "the notes of a draft are no rejected pictures"
    run = studio.training.start(RunSpec("linear", data=data, size=32, recipe=Recipe(epochs=2)))
    assert isinstance(finish(studio, run)[-1], Finished)
    card = studio.zoo.card(studio.training.runs()[0].adapter)
    assert set(card.classes) == set(names.values())
    assert card.name == "linear-img-src-x-onerro-7-8-s0"


def test_an_uploaded_zip_trains(studio, photos, tmp_path, finish):
    with zipfile.ZipFile(tmp_path / "Colours.zip", "w") as archive:
        for file in sorted(photos.glob("*/*.png")):
            archive.write(file, f"Colours/{file.parent.name}/{file.name}")
    key = studio.data.keep_upload(tmp_path / "Colours.zip")
    run = studio.training.start(
        RunSpec("linear", data=DataSpec("upload", key, 2), size=32, recipe=Recipe(epochs=1))
    )
    assert isinstance(finish(studio, run)[-1], Finished)
    assert studio.training.runs()[0].adapter == "linear-colours-s0"


def test_cost_needs_no_weights(studio, short):
    cost = studio.training.cost(
        RunSpec("lora", backbone="vit_base_patch16_224.orig_in21k"), classes=10
    )
    assert (cost.trainable, cost.head) == (294_912, 7690)


def test_other_weights_of_the_same_name_get_a_name_of_their_own(studio, tmp_path):
    from safetensors.torch import save_file
    from timm import create_model

    cards = []
    file = tmp_path / "vit_tiny_patch16_224.safetensors"
    for seed in (0, 1, 1):
        torch.manual_seed(seed)
        save_file(create_model("vit_tiny_patch16_224", num_classes=0).state_dict(), file)
        cards.append(studio.zoo.add_backbone(file))
    assert [c.name for c in cards[:2]] == [file.stem, f"{file.stem}-{cards[1].fingerprint[:8]}"]
    assert cards[2] == cards[1]
    assert len([b for b in studio.zoo.backbones() if b.source == "registered"]) == 2


def test_what_has_stood_too_long_is_swept_when_the_studio_opens(studio, open_studio, photos):
    old, new = "0" * 32, "1" * 32
    studio.data.drafts.put(old, "cup", [photos / "red" / "1.png"])
    studio.data.drafts.put(new, "cup", [photos / "red" / "1.png"])
    os.utime(studio.home.drafts / old, (0, 0))
    open_studio(studio.home.root)
    assert os.listdir(studio.home.drafts) == [new]


def picture() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(out, "PNG")
    return out.getvalue()


def picture_file(path):
    path.write_bytes(picture())


def tensors(studio, id) -> dict:
    from safetensors import safe_open

    with safe_open(studio.zoo.file(id), "np") as f:
        return {name: f.get_tensor(name).tobytes() for name in f.keys()}  # noqa: SIM118


def test_a_run_in_line_has_a_place_and_its_adapter_outlives_the_run(studio, short, finish):
    first = studio.training.start(short(epochs=1000))
    second = studio.training.start(short(), owner="me")
    assert [card.place for card in studio.training.runs()] == [1, 0]
    assert studio.training.run(second).state == "queued"
    studio.training.stop(first)
    finish(studio, second)
    card = studio.training.run(second)
    assert card.state == "done" and card.val_images > 0
    assert studio.training.samples(second)[0].answer
    deleted = studio.training.delete_run(second)
    assert studio.training.status().run == first
    assert studio.zoo.entry(card.adapter).card
    studio.training.rename_run(studio.training.restore_run(deleted), "mine")
    assert studio.training.run(second).title == "mine"
