"""The whole command line, with the commands of `bench`, in this process."""

import pytest

from peft_demo import cli


@pytest.fixture
def typed(home, capfd, monkeypatch):
    """*words → (exit code, standard output, standard error)."""
    import peft_demo.__main__  # noqa: F401  composes the commands

    for variable in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(variable, "1")

    def run(*words) -> tuple[int, str, str]:
        code = cli.run([str(w) for w in words])
        return code, *capfd.readouterr()

    return run
