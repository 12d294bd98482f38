"""The drawing of accuracy against file size."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

from adapters_zoo import __path__ as zoo
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.cards import ZooEntry
from peft_demo.ui.adapters.scatter import Point, draw, frontier, points

SMALL = Point("bi-lora-digits-s0", "bi_lora", 40_000, 0.95, 360)
LARGE = Point("lora-digits-s0", "lora", 300_000, 0.97, 360)
BEATEN = Point("hta-digits-s0", "hta", 310_000, 0.96, 360)


def test_the_frontier_is_what_no_smaller_file_beats():
    assert frontier([LARGE, BEATEN, SMALL]) == [SMALL, LARGE]
    assert frontier([replace(SMALL, accuracy=0.9), SMALL]) == [SMALL]


def test_every_point_can_be_reached_and_says_what_it_is():
    svg = draw([LARGE, BEATEN, SMALL])
    labels = [unescape(words) for words in re.findall(r'role="button" aria-label="(.*?)"', svg)]
    assert labels[0] == "lora-digits-s0: 349 of 360 right, 95 to 98 %; 300 kB"
    assert svg.count('tabindex="0"') == 3
    assert svg.count('class="point best"') == 2


def test_larger_files_stand_to_the_right_and_better_ones_higher():
    svg = draw([SMALL, LARGE])
    circles = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="6"', svg)
    (x_small, y_small), (x_large, y_large) = [(float(x), float(y)) for x, y in circles]
    assert x_large > x_small and y_large < y_small


def test_names_from_files_stay_text():
    assert "<b>" not in draw([replace(SMALL, id="<b>", name="<b>")])


def test_one_adapter_alone_can_be_drawn():
    assert draw([SMALL]).count('r="6"') == 1
    assert draw([]) == ""


def test_adapters_without_a_measured_accuracy_are_left_out():
    path = Path(next(iter(zoo)), "lora-digits-s0.safetensors")
    card = AdapterFile.open(path).card
    entries = [
        ZooEntry("measured", 1000, True, card),
        ZooEntry("unmeasured", 1000, True, replace(card, test_accuracy=None)),
        ZooEntry("refused", 1000, True, card, "it is damaged."),
        ZooEntry("unreadable", 1000, True, None),
        ZooEntry("strange", 1000, True, replace(card, spec={"data": {"name": None}})),
    ]
    ids = {name: [point.id for point in there] for name, there in points(entries).items()}
    assert ids == {"digits": ["measured"], "–": ["strange"]}
