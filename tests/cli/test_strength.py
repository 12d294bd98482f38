"""`strength`: how an adapter fares when what it adds is scaled."""


def test_a_line_for_each_strength_and_the_best(answer, typed, train):
    id = answer(*train(method="lora"))["adapter"]
    value = answer("strength", id)
    assert [point["strength"] for point in value["curve"]] == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]
    top = max(point["accuracy"] for point in value["curve"])
    assert top == next(p["accuracy"] for p in value["curve"] if p["strength"] == value["best"])
    code, out, _ = typed("strength", id)
    assert code == 0 and "most often right on validation images at" in out
