"""Words that no file can be called, and what is no file, are refused in a sentence."""

import os

import pytest

from peft_demo.contracts.errors import PeftDemoError
from peft_demo.storage.header import read_header
from peft_demo.storage.paths import expanded, is_file, is_folder, is_there

ODD = ["字" * 120, "x" * 5000, "a\0b", "\ud800", "~nobody-of-that-name/x", "file/below"]


@pytest.mark.parametrize("word", ODD)
def test_no_word_makes_a_question_about_it_fail(word, tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / expanded(word)
    assert (is_file(path), is_folder(path), is_there(path)) == (False, False, False)
    with pytest.raises(PeftDemoError, match="there is no such file"):
        read_header(path, 100, PeftDemoError)


def test_a_pipe_a_device_and_a_folder_are_no_files(tmp_path):
    """Whoever read a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for path in tmp_path.iterdir():
        with pytest.raises(PeftDemoError, match="it is not a file"):
            read_header(path, 100, PeftDemoError)
