"""What is private of a dataset's name stays at home, whichever source it comes from.

The rule stands once, in `RunSpec.public()`. These tests ask the four places that use it.
"""

import json
from dataclasses import replace

import pytest
from small import CLASSES, images, labels

from peft_demo import adapters
from peft_demo.contracts.events import Improved
from peft_demo.contracts.specs import DataSpec, PushSpec, Recipe, RunSpec
from peft_demo.data.few_shot_tensors import FewShotTensors
from peft_demo.data.sources import sources
from peft_demo.studio.hub_upload import pack
from peft_demo.studio.runs import Runs
from peft_demo.training import train

SECRET = "5ec2e75ec2e7"
PRIVATE = {
    "folder": f"/home/{SECRET}/cats",
    "zip": f"C:\\{SECRET}\\cats.zip",
    "tar": f"/home/{SECRET}/cats.tar.gz",
    "draft": SECRET,
    "upload": f"holiday-{SECRET}.zip",
}
"""Source → a name with something private in it."""
KNOWN_TO_ALL = {"bundled", "hub"}
"""Sources whose names are public."""
for_every_source = pytest.mark.parametrize("source", PRIVATE)


def private_run(source: str) -> RunSpec:
    data = DataSpec(source, PRIVATE[source], shots=2)
    return RunSpec("linear", data=data, recipe=Recipe(epochs=1))


def test_a_new_source_needs_a_line_here():
    assert PRIVATE.keys() | KNOWN_TO_ALL == sources().keys()


@for_every_source
def test_the_public_spec_and_its_command_are_public(source):
    public = private_run(source).public()
    assert public == public.public()
    assert SECRET not in json.dumps(public.to_json())
    assert SECRET not in public.command()
    assert public.command() == private_run(source).command()


@for_every_source
def test_an_adapter_file_holds_the_public_spec(source, tiny):
    pictures = (127 + 20 * images(CLASSES)).clamp(0, 255).byte()
    part = pictures, labels(CLASSES)
    material = FewShotTensors(tuple("abcde"), part, part, part, "0" * 64, ())
    events = list(train(private_run(source), tiny, material))
    files = [event.adapter for event in events if isinstance(event, Improved)]
    assert files
    assert not any(SECRET.encode() in content for content in files)


@for_every_source
def test_a_push_sends_the_public_spec(source, adapter_file, tmp_path):
    """Also of a file that an older version wrote, or another program."""
    card = replace(adapters.read_card(adapter_file), spec=private_run(source).to_json())
    file = tmp_path / "a.safetensors"
    file.write_bytes(adapters.AdapterFile.open(adapter_file).with_card(card).content)
    assert SECRET.encode() in file.read_bytes()
    _, contents = pack(PushSpec(("a",), "me/a"), [file], tmp_path / "home")
    assert SECRET.encode() not in b"".join(contents.values())


@pytest.mark.parametrize("spec", [{"data": {"name": SECRET}}, {"note": SECRET}])
def test_a_push_sends_nothing_of_a_spec_that_cannot_be_read(spec, adapter_file, tmp_path):
    file = tmp_path / "a.safetensors"
    card = replace(adapters.read_card(adapter_file), spec=spec)
    file.write_bytes(adapters.AdapterFile.open(adapter_file).with_card(card).content)
    _, contents = pack(PushSpec(("a",), "me/a"), [file], tmp_path / "home")
    assert SECRET.encode() not in b"".join(contents.values())


@for_every_source
def test_a_page_that_may_not_name_paths_sees_public_runs(source, open_studio, tmp_path):
    home = tmp_path / "home"
    record = Runs(home / "runs").create(private_run(source))
    record.lock.release()
    shown = open_studio(home, allow_local_paths=False).training.runs()[0]
    assert shown.spec == private_run(source).public()
    assert open_studio(home).training.runs()[0].spec == private_run(source)
