"""Classifies pictures with the adapter in model.onnx, which PEFT Demo made."""

import json
from pathlib import Path

import gradio as gr
import numpy as np
import onnxruntime
from PIL import Image, ImageColor, ImageOps

HERE = Path(__file__).parent
SESSION = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
ABOUT = {
    name: json.loads(value) for name, value in SESSION.get_modelmeta().custom_metadata_map.items()
}
ANSWERS = [output.name for output in SESSION.get_outputs()]
SAMPLES = sorted(str(file) for file in HERE.glob("sample-*"))


def classify(image: Image.Image | None) -> tuple[str, dict[str, float] | None]:
    """What the picture shows, in words, and how likely each class is."""
    if image is None:
        return "", None
    answers = map(np.asarray, SESSION.run(ANSWERS, {"images": pixels(image)}))
    said = dict(zip(ANSWERS, answers, strict=True))
    shares = said["probabilities"][0].tolist()
    best = ABOUT["classes"][int(np.argmax(shares))]
    is_none = "doubt" in said and said["doubt"][0] > ABOUT["limit"]
    words = f"none of these, most like {best}" if is_none else best
    return words, dict(zip(ABOUT["classes"], shares, strict=True))


def pixels(image: Image.Image) -> np.ndarray:
    """uint8 [1 H W 3] of the picture, upright, on the ground colour that it was trained on."""
    image = ImageOps.exif_transpose(image).convert("RGBA")
    ground = Image.new("RGBA", image.size, ImageColor.getrgb(ABOUT["ground"] or "white"))
    return np.asarray(Image.alpha_composite(ground, image).convert("RGB"))[None]


demo = gr.Interface(
    classify,
    gr.Image(type="pil", image_mode=None, height=360, label="Picture"),
    [gr.Textbox(label="It shows"), gr.Label(num_top_classes=5, label="How likely")],
    title="What does it show?",
    examples=SAMPLES or None,
    cache_examples=False,
    live=True,
    flagging_mode="never",
    api_name="classify",
)

if __name__ == "__main__":
    demo.launch()
