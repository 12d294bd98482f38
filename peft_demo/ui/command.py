"""The command line that does the same as a part of the page, folded away, with a button to copy
it."""

import gradio as gr

SAME = "The same from the command line"


def folded_command(title: str = SAME, elem_id: str | None = None) -> gr.Code:
    """Draws an empty one into the open context."""
    with gr.Accordion(title, open=False):
        return gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
            elem_id=elem_id,
        )
