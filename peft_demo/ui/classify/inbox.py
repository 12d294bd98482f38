"""Where pictures come in that are not put into the image: pasted or dropped anywhere on the tab
(see `scripts/inbox.js`), several at once, a folder, a zip.
"""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class Inbox:
    files: gr.UploadButton
    folder: gr.UploadButton


def build() -> Inbox:
    """Draws both buttons into the open context."""
    with gr.Column(min_width=120, elem_id="inbox"):
        files = gr.UploadButton("Several, or a zip", file_count="multiple", size="sm")
    with gr.Column(min_width=80):
        folder = gr.UploadButton("A folder", file_count="directory", size="sm")
    return Inbox(files, folder)
