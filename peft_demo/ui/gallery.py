"""Rows of small pictures to look at or to choose from."""

import gradio as gr


def gallery(
    label: str, elem_id: str, columns: int, height: int, visible: bool = True
) -> gr.Gallery:
    """An empty gallery that shows whole pictures, without Gradio's buttons and large preview."""
    return gr.Gallery(
        label=label,
        elem_id=elem_id,
        columns=columns,
        height=height,
        visible=visible,
        object_fit="contain",
        interactive=False,
        allow_preview=False,
        buttons=[],
        format="png",
        fit_columns=False,
    )
