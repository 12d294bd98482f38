"""`export` and `import`: an adapter on its way to huggingface/peft and back; broken files."""

import pytest


def test_to_peft_and_back(answer, typed, train, photos, tmp_path):
    adapter = answer(*train(method="lora"))["adapter"]
    image = photos / "dark" / "0.png"
    exported = answer("export", adapter, "--to", "peft", "--out", tmp_path / "theirs")
    assert exported["format"] == "peft" and "rank 16" in exported["notes"][0]
    back = answer("import", tmp_path / "theirs", "--as", "back", "--classes", "dark, light")
    assert back["adapter"] == "back" and back["method"] == "lora"
    assert back["classes"] == ["dark", "light"]
    first, second = (answer("predict", id, image)[0]["probability"] for id in (adapter, "back"))
    assert first == pytest.approx(second, abs=1e-5)
    code, _, err = typed("import", tmp_path / "theirs", "--classes", "dark")
    assert code == 2 and err.count("\n") == 1 and "head" in err


def test_to_transformers_and_back_with_a_comma_in_a_class(answer, train, photos, tmp_path):
    adapter = answer(*train(method="lora"))["adapter"]
    image = photos / "dark" / "0.png"
    exported = answer("export", adapter, "--to", "transformers", "--out", tmp_path / "theirs")
    assert "ViTForImageClassification" in exported["notes"][0]
    (tmp_path / "names").write_text("dark, very\nlight")
    flags = ("--as", "back", "--classes-file", tmp_path / "names")
    assert answer("import", tmp_path / "theirs", *flags)["classes"] == ["dark, very", "light"]
    first, second = (answer("predict", id, image)[0]["probability"] for id in (adapter, "back"))
    assert first == pytest.approx(second, abs=1e-5)


def test_a_broken_adapter_and_a_broken_picture(typed, answer, train, photos, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"hello, no adapter")
    code, _, err = typed("predict", broken, photos / "dark" / "0.png")
    assert code == 2 and err.count("\n") == 1
    adapter = answer(*train())["adapter"]
    code, out, _ = typed("predict", adapter, broken)
    assert code == 1 and "broken.safetensors" in out and "no answer" in out
