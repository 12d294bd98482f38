"""The texts of Help, as Markdown. All of them our own words."""

INTRODUCTION = """
## What is parameter-efficient fine-tuning?
A Vision Transformer that has seen many images knows a lot about shapes and textures. To teach it
*your* classes one need not change it: it stays **frozen**, and a small **adapter** learns beside
it, often less than one per cent of its size. The adapter is a small file. Many adapters share one
backbone, and switching between them takes no time.

## How to use this page
1. **Data**: choose a bundled set, or collect a few photos per class, or drop a
   zip of class folders.
2. **Train**: choose a method and press Start. The curves are live; Stop keeps the
   state so far. Pressed again meanwhile, Start puts the next run in line.
3. **Compare**: methods, sets, shots and seeds as one table that fills while it runs, with what
   cannot be told from the best.
4. **Adapters**: look at the card inside each file, download it, add one you were given.
5. **Classify**: drop an image; compare up to four adapters on it.

## How it measures
*Shots* are training images per class. The last state is kept, unless an earlier one was better on
**validation** images by more than chance (two standard errors). The **test** images are looked at
once, at the end, and never after a stop. With fewer than three images of a class nothing is left to
test on, and the page says "not measured". The backbone's tensors are hashed before and after each
run: *unchanged* is a proof.
"""

LIMITS = """
## Files and privacy
Runs, images and adapters lie under `PEFT_DEMO_HOME` on the machine that runs this app, which on a
Space is Hugging Face's; the Hub is asked for backbones, sets and adapters that you choose from it,
and only *Share on the Hub* sends something there, after it has shown what. Adapter files are
safetensors with a card in the header; there is no pickle, and a file that is damaged or made for
another backbone is refused before it is loaded. Deleted adapters and runs go to a trash folder.

## Limits
One training run at a time; on your own machine others wait in line.
Photographs only, one label per image. The webcam needs `localhost` or
HTTPS. An adapter knows its own classes alone. Of an image of something else it says *none of
these*, where it learned from enough photos, and is wrong about that now and then.
"""

ADDING = """
## Adding a method
A method is one file in `peft_demo/methods`: its deltas, its knobs, and a record of what it is.
Form, flags, table, card and tests find it by themselves. The docstring of
`peft_demo/methods/__init__.py` says what a record holds, `peft_demo/methods/lora.py` is one to
start from, and `pytest tests/test_laws.py` holds it to what all methods promise.

## The adapter file
One safetensors file holds the method's parameters (`deltas`, or their packed bits in `codes`), the
tensors of the backbone that it trained copies of (`tensors`), the classifier (`head`), and as JSON
in its header the card: method, knobs, classes, the SHA-256 of the backbone, image size and
normalisation, scores, split and curves. Of the images there are hashes, and a small picture of one
only where you asked for it; no path of your machine.

## Citing
Please cite the papers of the methods you use. The table above links them, and the model card of an
adapter that you share names them.
"""

PROGRAMS = """
## From a program
Two endpoints answer what the page answers. `pip install gradio_client`, and with this page's
address:
```python
from gradio_client import Client, handle_file

page = Client("http://127.0.0.1:7860")
adapters = page.predict(api_name="/adapters")  # id, method, classes, accuracies, bytes of each
ids = [adapters[0]["id"]]
answers = page.predict(handle_file("photo.jpg"), ids, api_name="/classify")
print(answers[0]["label"], answers[0]["probability"])
```
Up to four adapters answer at once; a third value asks for that many classes. In the Python that
runs this app there is also the library itself:
```python
from peft_demo import load_backbone, attach, train, save, load

backbone = load_backbone()
adapter = train(backbone, "lora", "digits", shots=4, epochs=2, rank=8)
save(adapter, "digits.safetensors")
model = attach(backbone, load("digits.safetensors"))
print(adapter.accuracy, model.classify("photo.jpg").label)
```

## As an app of its own
Browsers that can install pages (Chrome, Edge, Safari) offer it in the address bar or under *Share*:
it then opens in a window of its own, as long as the app runs. `python app.py --open` starts it and
opens the page.
"""
