"""`inspect`: what an adapter changed."""


def test_a_line_for_each_place(typed):
    code, out, _ = typed("inspect", "lora-digits-s0")
    lines = out.splitlines()
    assert code == 0 and lines[0].split()[:3] == ["LAYER", "SITE", "TRAINED"]
    assert lines[1].split()[:2] == ["0", "q"]
    assert "trained numbers in" in lines[-1]


def test_json_has_everything(answer):
    value = answer("inspect", "bi-lora-digits-s0")
    assert value["adapter"] == "bi-lora-digits-s0" and value["method"] == "bi_lora"
    first = value["changes"][0]
    assert first["weight"]["relative"] > 0 and len(first["weight"]["after"]) == 32
    assert len(first["directions"][0]["levels"]) == 2


def test_what_is_no_change_of_a_weight_says_so(answer, typed, train):
    id = answer(*train(method="adapter"))["adapter"]
    assert "no single weight changes" in typed("inspect", id)[1]


def test_an_unknown_adapter_is_a_sentence(typed):
    code, out, err = typed("inspect", "lora-digit-s0")
    assert (code, out) == (2, "") and "did you mean" in err
