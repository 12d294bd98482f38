"""Pictures that a person moved to another class or left out."""

import pytest
from PIL import Image

from peft_demo.contracts.corrections import corrections_text
from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset, report_of, split
from peft_demo.data.corrections import key


@pytest.fixture
def folder(tmp_path):
    for name, shade in (("cat", 10), ("dog", 120)):
        (tmp_path / name).mkdir()
        for number in range(5):
            picture = Image.new("RGB", (40, 40), (shade, 20 * number, 90))
            picture.save(tmp_path / name / f"{number}.png")
    return tmp_path


def opened(folder, **corrections: str):
    return open_dataset(DataSpec("folder", str(folder), **corrections), folder)


def labels(dataset) -> dict[str, str]:
    return {example.name: dataset.classes[example.label] for example in dataset.examples}


def test_a_picture_is_moved_and_another_left_out(folder):
    dataset = opened(folder)
    by_name = {example.name: key(example) for example in dataset.examples}
    first, second = list(by_name)[:2]
    word = corrections_text({by_name[first]: "dog", by_name[second]: ""})
    corrected = opened(folder, corrections=word)
    assert labels(corrected) == {
        **{name: label for name, label in labels(dataset).items() if name != second},
        first: "dog",
    }
    assert "2 pictures corrected by hand." in corrected.notices
    assert opened(folder, corrections="").examples == dataset.examples


def test_a_copy_is_corrected_with_it(folder):
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    dataset = opened(folder)
    word = corrections_text({key(dataset.examples[0]): ""})
    assert len(opened(folder, corrections=word).examples) == len(dataset.examples) - 2


def test_a_class_that_is_not_there_is_a_sentence(folder):
    word = corrections_text({key(opened(folder).examples[0]): "horse"})
    with pytest.raises(BadValue, match="cannot be moved to 'horse'"):
        opened(folder, corrections=word)


def test_a_picture_that_has_gone_is_told(folder):
    corrected = opened(folder, corrections="0123456789ab=dog")
    assert "1 picture corrected by hand. 1 of them not found." in corrected.notices


def test_a_report_names_its_pictures_as_corrections_do(folder):
    dataset = opened(folder)
    report = report_of(dataset, split(dataset, 2, 0))
    keys = {key(example) for example in dataset.examples}
    for count in report.counts:
        assert len(count.keys) == len(count.previews) and set(count.keys) <= keys


def test_the_command_repeats_it(folder):
    spec = DataSpec("folder", "photos", corrections="0123456789ab=dog")
    assert spec.reading() == {"--corrections": "0123456789ab=dog"}
    assert DataSpec(**spec.to_json()) == spec
