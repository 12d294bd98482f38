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
