"""Many pictures, each answered by itself or with the reason why not."""

from zipfile import ZipFile

import pytest
from PIL import Image

from peft_demo.contracts.answer import NamedPicture
from peft_demo.contracts.errors import UnknownName
from peft_demo.contracts.window import Window
from peft_demo.studio import answers


@pytest.fixture
def sent(tmp_path):
    """A picture, a zip of twelve with one that is cut off, and a text."""
    Image.effect_noise((40, 40), 90).save(tmp_path / "one.png")
    content = (tmp_path / "one.png").read_bytes()
    with ZipFile(tmp_path / "more.zip", "w") as archive:
        for number in range(12):
            archive.writestr(f"in/{number}.png", content[:400] if number == 7 else content)
    (tmp_path / "notes.txt").write_text("not a picture")
    return [tmp_path / name for name in ("one.png", "more.zip", "notes.txt")]


def test_each_is_answered_as_it_would_be_alone(studio, adapter_file, sent):
    id = studio.zoo.take(adapter_file)
    pictures = studio.data.sent(sent)
    given = list(studio.answers.each(pictures, id, 2, thumbnails=True))
    names = [answer.picture for answer in given]
    assert names == [*(f"more.zip/in/{number}.png" for number in range(12)), "one.png"]
    (alone,) = studio.answers.classify(sent[0], [id], 2)
    for answer in given:
        if "/7." in answer.picture:
            assert "cut off or damaged" in answer.prediction.refusal and not answer.thumbnail
        else:
            assert answer.prediction.label == alone.label
            assert answer.prediction.probability == pytest.approx(alone.probability, abs=1e-5)
            assert answer.thumbnail.startswith(b"\xff\xd8")


def test_the_first_come_before_the_last_are_read(studio, adapter_file, sent):
    id = studio.zoo.take(adapter_file)
    picture = studio.data.sent(sent[:1])[0]
    read = []

    def count() -> bytes:
        read.append(1)
        return picture.read()

    next(studio.answers.each([NamedPicture(str(n), count) for n in range(30)], id))
    assert len(read) == answers.TOGETHER


def test_an_unknown_adapter_is_refused_before_anything_is_read(studio, sent):
    with pytest.raises(UnknownName):
        studio.answers.each(studio.data.sent(sent), "nobody")


def test_pictures_that_browsers_do_not_show_have_a_copy(studio, tmp_path):
    photo = Image.effect_noise((40, 30), 90)
    photo.save(tmp_path / "scan.tif")
    photo.save(tmp_path / "scan.png")
    assert studio.data.browser_copy(tmp_path / "scan.png") == b""
    assert studio.data.browser_copy(tmp_path / "scan.tif").startswith(b"\x89PNG")


def test_a_thumbnail_shows_a_deep_picture_as_the_adapter_sees_it(studio, adapter_file, tmp_path):
    """Twelve bits in sixteen: black without a window."""
    id = studio.zoo.take(adapter_file)
    card = studio.zoo.card(id)
    assert card.picture_window == Window()
    Image.new("I;16", (40, 40), 4095).save(tmp_path / "deep.png")
    (given,) = studio.answers.each(studio.data.sent([tmp_path / "deep.png"]), id, thumbnails=True)
    assert len(given.thumbnail) > 100
