"""`together`: several adapters answer as one; and `merge` of several."""

import pytest
from safetensors import safe_open


@pytest.fixture
def pair(answer, train) -> list[str]:
    return [answer(*train("--seed", seed, method="lora"))["adapter"] for seed in (0, 1)]


def test_they_are_measured_on_what_none_has_learned_from(answer, typed, photos, pair):
    value = answer("together", *pair)
    assert [one["adapter"] for one in value["alone"]] == pair
    assert value["images"] + value["left_out"] == 12 and value["left_out"] >= 4
    assert [way["how"] for way in value["combined"]] == ["answers averaged", "weights averaged"]
    for way in value["combined"]:
        gain = way["gain"]
        counted = gain["both"] + gain["only_first"] + gain["only_second"] + gain["neither"]
        assert counted == value["images"]
    code, out, _ = typed("together", *pair, "--data", photos, "--shares", "0.7,0.3")
    assert code == 0 and "answers averaged - " in out


def test_what_cannot_be_together_says_why(typed, pair, tmp_path):
    first, second = pair
    for words, reason in (
        ((first, second, "--shares", "1"), "2 adapters and 1 shares"),
        ((first, second, "--shares", "1,-1"), "add up to 0"),
        ((first, second, "--shares", "a,b"), "takes numbers"),
        ((first, second, "--shares", "1,inf"), "takes numbers"),
        ((first,), "two at least"),
        ((first, "lora-shapes-s0"), "know the class"),
    ):
        code, _, err = typed("together", *words)
        assert code == 2 and reason in err
    out = tmp_path / "no.safetensors"
    code, _, err = typed("merge", first, "lora-shapes-s0", "--out", out)
    assert code == 2 and "know the class" in err and not out.exists()


def test_the_mean_of_several_is_one_file_of_plain_weights(answer, typed, pair, tmp_path):
    out = tmp_path / "soup.safetensors"
    answer("merge", *pair, "--out", out)
    with safe_open(out, "pt") as file:
        assert file.metadata()["architecture"]
        assert file.get_tensor("head.weight").shape[0] == 2
