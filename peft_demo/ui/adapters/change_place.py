"""One place of an adapter: singular values, angles and the adapter's own tensors there."""

from collections.abc import Sequence
from html import escape

from ...contracts.changes import BINS, Change, Directions, TrainedTensor, WeightChange
from .. import charts, stat_tiles, text
from ..charts import Axes, Curve
from .change_grid import name

SPECTRUM_HEAD = ("Number", "W", "W + ΔW", "ΔW")
ANGLE_HEAD = ("|cosine|", "Here", "Frozen weight")
VALUES_HEAD = ("Number", "Value")
DIRECTIONS_HEAD = ("Matrix", "Directions", "Norms", "Drift", "Mean |cosine|", "Frozen weight")
TENSORS_HEAD = ("Tensor", "Shape", "Norm", "Used by")


def draw(change: Change) -> str:
    """HTML: a heading, what is to be said in words, charts with their tables, and the tensors."""
    parts = [f"<h3>{escape(name(change))}</h3><p>{escape(words(change))}</p>"]
    drawings = [_spectrum(change.weight)] if change.weight and change.weight.before else []
    drawings += [_angles(entry) for entry in change.directions if entry.cosines]
    drawings += [_levels(entry) for entry in change.directions if entry.levels]
    drawings += [_values(tensor) for tensor in change.tensors if len(tensor.values) > 1]
    if drawings:
        parts.append(f'<div class="drawings">{"".join(drawings)}</div>')
    if change.directions:
        rows = map(_directions_row, change.directions)
        caption = "Directions that its matrices read or write; a drift of 0 is orthogonal"
        parts.append(stat_tiles.table(DIRECTIONS_HEAD, rows, caption))
    rows = map(_tensor_row, change.tensors)
    parts.append(stat_tiles.table(TENSORS_HEAD, rows, "What the file holds for this place"))
    return f'<div class="place">{"".join(parts)}</div>'


def words(change: Change) -> str:
    """Sentences: how much changed, of what rank, and with how many numbers."""
    sentences = []
    if change.weight is not None:
        sentences += _of_weight(change.weight)
    if change.why:
        sentences.append(change.why)
    sentences += [_of_levels(entry) for entry in change.directions if entry.levels]
    sentences.append(f"{text.plural(change.trainable, 'number')} trained here alone.")
    return " ".join(sentences)


def _of_weight(weight: WeightChange) -> list[str]:
    sentences = []
    if weight.relative is not None:
        sentences.append(f"‖ΔW‖ is {text.share(weight.relative)} of ‖W‖.")
    if weight.effective_rank is not None:
        most = min(weight.shape)
        rank = f"{weight.effective_rank:.1f}"
        sentences.append(f"ΔW has an effective rank of {rank}, of at most {text.count(most)}.")
    if 0 < weight.share < 1:
        sentences.append(f"{text.share(weight.share)} of the numbers in W changed.")
    if weight.shift_norm and weight.relative_shift is not None:
        sentences.append(f"The bias moved by {text.share(weight.relative_shift)} of its norm.")
    return sentences


def _of_levels(entry: Directions) -> str:
    levels = [f"{charts.number(value)} ({text.share(share)})" for value, share in entry.levels]
    return f"{entry.name} takes {len(levels)} values: {', '.join(levels)}."


def _spectrum(weight: WeightChange) -> str:
    series = {"W": weight.before, "W + ΔW": weight.after, "ΔW": weight.change}
    curves = [Curve(label, list(enumerate(values, 1))) for label, values in series.items()]
    drawing = charts.draw("Singular values", curves, Axes("number of the value", log=True))
    columns = [weight.before, weight.after, weight.change]
    longest = max(map(len, columns))
    rows = [(n + 1, *(_at(values, n) for values in columns)) for n in range(longest)]
    return _with_table(drawing, SPECTRUM_HEAD, rows)


def _at(values: Sequence[float], n: int) -> str:
    return charts.number(values[n]) if n < len(values) else "–"


def _angles(entry: Directions) -> str:
    """By |cosine|: both halves of the histogram as one."""
    here = _folded(entry.cosines)
    frozen = _folded(entry.frozen_cosines)
    curves = [Curve(entry.name, here)]
    if frozen:
        curves.append(Curve("frozen weight", frozen))
    title = f"Angles in {entry.name}: % of pairs"
    drawing = charts.draw(title, curves, Axes("|cosine|, 0 is orthogonal", x_end=1, low=0))
    shares = dict(frozen)
    rows = [
        (f"{x:.3f}", text.share(y / 100), text.share(shares[x] / 100) if frozen else "–")
        for x, y in here
    ]
    return _with_table(drawing, ANGLE_HEAD, rows)


def _levels(entry: Directions) -> str:
    """HTML: a bar for each value that a quantised matrix takes, a table by itself."""
    most = max(share for _, share in entry.levels)
    rows = "".join(
        f'<tr><th scope="row">{charts.number(value)}</th>'
        f'<td><i style="width:{100 * share / most:.0f}%"></i></td><td>{text.share(share)}</td></tr>'
        for value, share in entry.levels
    )
    caption = f"Values of {escape(entry.name)}, and how many of its numbers take them"
    return f'<table class="levels"><caption>{caption}</caption>{rows}</table>'


def _values(tensor: TrainedTensor) -> str:
    """A short vector, the largest number first: how many of them count."""
    sizes = sorted(map(abs, tensor.values), reverse=True)
    curve = Curve(tensor.name, list(enumerate(sizes, 1)), marked=True)
    title = f"Sizes of {tensor.name}, the largest first"
    drawing = charts.draw(title, [curve], Axes("rank of the number", low=0))
    rows = [(n, charts.number(value)) for n, value in enumerate(tensor.values, 1)]
    return _with_table(drawing, VALUES_HEAD, rows)


def _folded(cosines: Sequence[float]) -> list[tuple[float, float]]:
    """(|cosine| in the middle of a bin, per cent of the pairs); nothing of nothing."""
    if not cosines:
        return []
    half = BINS // 2
    return [
        ((n + 0.5) / half, 100 * (cosines[half + n] + cosines[half - 1 - n])) for n in range(half)
    ]


def _with_table(drawing: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    table = stat_tiles.table(head, rows)
    return f"<div>{drawing}<details><summary>As a table</summary>{table}</details></div>"


def _directions_row(entry: Directions) -> tuple[object, ...]:
    norms = f"{charts.number(entry.shortest)} to {charts.number(entry.longest)}"
    return (
        entry.name,
        f"{entry.vectors} of {text.count(entry.length)} numbers",
        norms,
        charts.number(entry.drift),
        _figure(entry.mean_cosine),
        _figure(entry.frozen_mean_cosine),
    )


def _tensor_row(tensor: TrainedTensor) -> tuple[object, ...]:
    shape = " × ".join(map(str, tensor.shape))
    return tensor.name, shape, charts.number(tensor.norm), "several" if tensor.shared else "this"


def _figure(value: float | None) -> str:
    return "–" if value is None else charts.number(value)
