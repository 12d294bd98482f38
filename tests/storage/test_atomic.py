"""A file is written whole or not at all."""

import os

import pytest

from peft_demo.contracts.errors import CannotWrite
from peft_demo.storage.atomic import atomic_write


def test_it_takes_its_place_at_the_end_and_leaves_nothing_beside(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with atomic_write(target) as draft:
        draft.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole" and list(target.parent.iterdir()) == [target]


def test_what_was_there_stays_when_writing_breaks(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), atomic_write(target) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "before" and list(tmp_path.iterdir()) == [target]


def test_two_that_write_it_at_once_do_not_share_a_draft(tmp_path):
    target = tmp_path / "a.txt"
    with atomic_write(target) as first, atomic_write(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first" and list(tmp_path.iterdir()) == [target]


def test_a_device_or_a_pipe_is_not_replaced(tmp_path):
    """`--csv /dev/stdout`, where a file cannot stand."""
    pipe = tmp_path / "pipe"
    mkfifo = getattr(os, "mkfifo", None) or pytest.skip("there are no named pipes here")
    mkfifo(pipe)
    with pytest.raises(CannotWrite, match="a device or a pipe"), atomic_write(pipe):
        pass
    assert pipe.is_fifo()
