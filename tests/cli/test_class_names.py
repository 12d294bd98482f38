"""Names of classes that hold commas come from a file."""

import pytest

from peft_demo.cli.class_names import class_names
from peft_demo.contracts.errors import BadValue


def written(folder, content):
    file = folder / "names.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    "content",
    ["cup, white\n\n tea  pot \n", '["cup, white", "tea pot"]', "\ufeffcup, white\r\ntea pot\r\n"],
    ids=["lines", "JSON", "from Windows"],
)
def test_lines_and_a_json_list_are_read(content, tmp_path):
    assert class_names("", written(tmp_path, content)) == ("cup, white", "tea pot")


def test_typed_names_are_cut_at_commas():
    assert class_names("cup, tea  pot", None) == ("cup", "tea pot")
    assert class_names("", None) == ()


BAD = {
    "nothing": ("", "names no class"),
    "no list": ('["a", 3]', "no list of names"),
    "half a list": ('["a"', "no list of names"),
    "brackets without end": ("[" * 100_000, "no list of names"),
    "no text": (b"\xff\xfe\x00", "no text in UTF-8"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD)
def test_what_is_no_list_of_names_is_a_sentence(content, sentence, tmp_path):
    with pytest.raises(BadValue, match=sentence):
        class_names("", written(tmp_path, content))


def test_both_at_once_and_no_file_are_sentences(tmp_path):
    with pytest.raises(BadValue, match="named twice"):
        class_names("a,b", written(tmp_path, "a"))
    with pytest.raises(BadValue, match="no such file"):
        class_names("", tmp_path / "nowhere")
