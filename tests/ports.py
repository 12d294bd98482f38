"""Ports for servers of the tests; searching itself, Gradio may find one for two tests at once."""

import socket


def free_port() -> int:
    """A port of this machine that nobody listens on, of the many that the system hands out."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
