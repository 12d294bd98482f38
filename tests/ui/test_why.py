"""Why? A picture, a sentence and a table for each chosen adapter."""

import pytest

from peft_demo.contracts.explanation import Explanation
from peft_demo.ui.classify.why import draw


@pytest.fixture
def explanation():
    drops = tuple(tuple(0.1 * (row + column) for column in range(14)) for row in range(14))
    return Explanation("<b>lora", "<i>dog", 0.98, 0.12, drops, b"\x89PNG")


def test_each_adapter_has_its_picture_sentence_and_numbers(explanation):
    html = draw([explanation, explanation])
    assert html.count("<figure>") == html.count("data:image/png;base64,iVBORw==") == 2
    assert html.count("from 98.0 % to 12.0 %") == 4, "as a caption, and for who cannot see it"
    assert html.count("<tr>") == 30 and "<td>2.6</td>" in html


def test_names_stay_text(explanation):
    html = draw([explanation])
    assert "<b>" not in html and "<i>" not in html
    assert "&lt;b&gt;lora" in html
