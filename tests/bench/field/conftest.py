"""The command line, as in `tests/bench`, and trees of stand-ins that are drawn once."""

import field_trees as trees
import pytest

from peft_demo import cli


@pytest.fixture
def typed(home, capfd):
    """*words → (exit code, standard output, standard error)."""
    import peft_demo.__main__  # noqa: F401  composes the commands

    def run(*words) -> tuple[int, str, str]:
        code = cli.run([str(w) for w in words])
        return code, *capfd.readouterr()

    return run


@pytest.fixture(scope="session")
def vtab_root(tmp_path_factory):
    """All 19 tasks of VTAB-1k as stand-ins."""
    from peft_demo.bench.field.vtab import VTAB

    root = tmp_path_factory.mktemp("vtab-1k")
    for task in VTAB.tasks:
        trees.vtab(root, task.name, task.classes)
    return root


@pytest.fixture(scope="session")
def fgvc_root(tmp_path_factory):
    """The five sets of FGVC as stand-ins, each with the paths of its own kind."""
    root = tmp_path_factory.mktemp("fgvc")
    trees.fgvc(root, "CUB_200_2011", "images", "{c:03d}.Bird/{part}_{n}.jpg")
    trees.fgvc(root, "NABirds", "images", "{c:04d}/{part}{n}.jpg")
    trees.fgvc(root, "OxfordFlower", "", "jpg/image_{part}{n}.jpg")
    trees.fgvc(root, "Stanford-dogs", "Images", "n{c}/{part}{n}.jpg")
    trees.fgvc(root, "StanfordCars", "", "car_ims/{part}{n}.jpg")
    return root
