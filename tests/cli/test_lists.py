"""`methods`, `backbones`, `datasets` and `zoo` list what there is; `check` reads a dataset."""


def test_methods(answer, typed):
    methods = answer("methods", "--backbone", "vit_base_patch16_224.orig_in21k")
    named = {method["name"]: method for method in methods}
    assert {"linear", "full", "bitfit", "lora", "adapter", "arc"} <= set(named)
    assert named["lora"]["trainable"] == 294_912 and named["linear"]["trainable"] == 0
    assert named["adapter"]["merges"] is False and named["arc"]["merges"] is True
    assert all({"name", "trainable", "merges", "paper"} <= set(method) for method in methods)
    assert "lora" in typed("methods")[1]


def test_lists(answer, typed):
    assert answer("backbones")[0]["source"] == "bundled"
    assert "digits" in [dataset["name"] for dataset in answer("datasets")]
    assert all("id" in entry for entry in answer("zoo"))
    for command in ("backbones", "datasets", "zoo"):
        code, out, _ = typed(command)
        assert code == 0 and out.strip()


def test_zoo_folder_of_ones_own(answer, train, tmp_path, home):
    zoo = tmp_path / "zoo"
    result = answer(*train("--zoo", zoo))
    own = [entry["id"] for entry in answer("zoo", "--zoo", zoo) if not entry["shipped"]]
    assert own == [result["adapter"]]
    assert not (home / "zoo").exists()


def test_check(answer, typed, photos):
    report = answer("check", photos, "--shots", 2)
    assert report["classes"][0] == {"class": "dark", "found": 6, "train": 2, "val": 2, "test": 1}
    assert "ready to train" in typed("check", photos)[1]


def test_an_adapter_goes_to_the_trash_and_comes_back(answer, typed, train):
    id = answer(*train())["adapter"]
    name = answer("zoo", "--delete", id)["trash"]
    assert [entry["id"] for entry in answer("zoo", "--trash")] == [name]
    assert id not in [entry["id"] for entry in answer("zoo")]
    assert f"restored as {id}" in typed("zoo", "--restore", name)[1]
    assert "the trash is empty" in typed("zoo", "--trash")[1]
    code, out, err = typed("zoo", "--restore", "nothing")
    assert (code, out) == (2, "") and "no adapter in the trash 'nothing'" in err


def test_every_accuracy_that_is_printed_says_how_sure_it_is():
    """In the lines of a run, of a search, and of a zoo that was measured again."""
    from peft_demo.cli.progress import _trial_line, _validation_line
    from peft_demo.cli.zoo import _verify_row
    from peft_demo.contracts.events import Evaluated, Tried

    looked = Evaluated(3, 0.5, 0.75, 40, True)
    assert "validation accuracy 75.0 % (60 to 86), loss 0.500 (kept)" in _validation_line(looked)
    tried = Tried(1, 2, "lr 0.1", 0.75, 0.5, 40, True)
    assert "accuracy 75.0 % (60 to 86), loss 0.500 (best)" in _trial_line(tried)
    measured = {"id": "a", "card": 0.75, "card_images": 40, "now": 1.0, "images": 4, "verdict": ""}
    assert _verify_row(measured)[1:3] == ("75.0 % (60 to 86)", "4 of 4 (51 to 100 %)")
