"""What a person does, as three small drawings: photos in, it learns, it answers."""

_PHOTOS = (
    '<rect x="14" y="20" width="46" height="46" rx="6"/><rect x="26" y="30" width="46" height="46"'
    ' rx="6" class="front"/><circle cx="40" cy="46" r="6" class="fill"/>'
    '<path d="M28 72 l14 -16 12 12 8 -8 8 10" class="line"/>'
    '<rect x="92" y="30" width="46" height="46" rx="6" class="front"/>'
    '<rect x="104" y="42" width="22" height="22" rx="3" class="fill"/>'
)
_LEARNS = (
    '<rect x="20" y="24" width="76" height="56" rx="6" class="front"/>'
    '<path d="M34 38 h48 M34 52 h48 M34 66 h48" class="quiet"/>'
    '<rect x="104" y="36" width="26" height="32" rx="5" class="fill"/>'
    '<path d="M96 52 h8" class="line"/>'
)
_ANSWERS = (
    '<rect x="12" y="30" width="46" height="46" rx="6" class="front"/>'
    '<circle cx="35" cy="53" r="10" class="fill"/><path d="M66 53 h14 m-5 -5 l5 5 -5 5"'
    ' class="line"/><rect x="90" y="34" width="52" height="10" rx="5" class="fill"/>'
    '<rect x="90" y="50" width="22" height="10" rx="5" class="bar"/>'
    '<rect x="90" y="66" width="12" height="10" rx="5" class="bar"/>'
)
STEPS = (
    (_PHOTOS, "1. Photos", "A few of each class: film them, drop a folder or take a set."),
    (_LEARNS, "2. It learns", "In about a minute. Only a small adapter changes, on this machine."),
    (_ANSWERS, "3. It answers", "Show it a new photo. It says which class, and how sure it is."),
)
"""(drawing, what it is, in one line more)"""


def draw() -> str:
    """HTML: the three steps beside each other."""
    return f'<ol class="steps">{"".join(_step(*step) for step in STEPS)}</ol>'


def _step(drawing: str, name: str, words: str) -> str:
    picture = f'<svg viewBox="0 0 152 96" aria-hidden="true">{drawing}</svg>'
    return f"<li>{picture}<b>{name}</b><span>{words}</span></li>"
