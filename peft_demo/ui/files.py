"""Files that the page hands out."""

from pathlib import Path

from gradio import processing_utils
from gradio.utils import get_upload_folder

SAVE_AS = """const saveAs = (address, name) => {
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
}
"""
"""JavaScript that defines a function: the browser saves what is at an address under a name."""

_SAVE_PNG = """async () => {
  SAVE_AS
  const drawings = [...document.querySelectorAll("DRAWINGS")]
  if (!drawings.length) return
  const scale = 3
  const [, , width, height] = drawings[0].getAttribute("viewBox").split(" ").map(Number)
  const canvas = document.createElement("canvas")
  canvas.width = width * scale * drawings.length
  canvas.height = height * scale
  const context = canvas.getContext("2d")
  const page = getComputedStyle(document.body)
  context.fillStyle = page.getPropertyValue("--block-background-fill") || page.backgroundColor
  context.fillRect(0, 0, canvas.width, canvas.height)
  const looks = ["fill", "stroke", "stroke-width", "opacity", "font", "stroke-linejoin"]
  for (const [place, drawing] of drawings.entries()) {
    const copy = drawing.cloneNode(true)
    const parts = [...drawing.querySelectorAll("*")]
    const copies = [...copy.querySelectorAll("*")]
    parts.forEach((part, n) => {
      const look = getComputedStyle(part)
      for (const name of looks) copies[n].style.setProperty(name, look.getPropertyValue(name))
    })
    copy.setAttribute("width", width * scale)
    copy.setAttribute("height", height * scale)
    const picture = new Image()
    const content = encodeURIComponent(new XMLSerializer().serializeToString(copy))
    picture.src = "data:image/svg+xml;charset=utf-8," + content
    await picture.decode()
    context.drawImage(picture, place * width * scale, 0)
  }
  saveAs(canvas.toDataURL("image/png"), "NAME")
}"""
_SAVE_TEXT = """(text) => {
  SAVE_AS
  const address = URL.createObjectURL(new Blob([text], {type: "TYPE"}))
  saveAs(address, "NAME")
  URL.revokeObjectURL(address)
}"""


def save_png(drawings: str, name: str) -> str:
    """JavaScript: the browser saves the drawings (SVG) that the selector finds, side by side as
    they look on the page, as a PNG of this name.
    """
    return _SAVE_PNG.replace("SAVE_AS", SAVE_AS).replace("DRAWINGS", drawings).replace("NAME", name)


def save_text(kind: str, name: str) -> str:
    """JavaScript: the browser saves the text that it is given, of this MIME type, under a name."""
    return _SAVE_TEXT.replace("SAVE_AS", SAVE_AS).replace("TYPE", kind).replace("NAME", name)


def offer(file: Path) -> str:
    """A copy of the file where Gradio may show it; nothing else of the machine
    is ever handed out.
    """
    return processing_utils.save_file_to_cache(file, get_upload_folder())


def hand_out(name: str, content: bytes) -> str:
    """A new file where Gradio may show it, called `name` by the browser that fetches it."""
    return processing_utils.save_bytes_to_cache(content, name, get_upload_folder())
