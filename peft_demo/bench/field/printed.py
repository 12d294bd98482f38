"""A benchmark's table as text, Markdown, LaTeX or CSV, the figures of others below."""

import csv
from collections.abc import Sequence
from io import StringIO

from ...cli.terminal import table
from ...contracts.errors import UnknownName
from ..comparison import as_markdown
from .published import Published
from .table import Figure, Row
from .task import Benchmark

GROUP_MEAN = "mean of groups"
Cells = tuple[str, ...]


def head(benchmark: Benchmark, rows: Sequence[Row]) -> Cells:
    """The columns: the tasks that some row has, the groups, the means, and what goes with them."""
    means = [GROUP_MEAN] if len(benchmark.groups) > 1 else []
    groups = list(benchmark.groups) if means else []
    tasks = [task.name for task in benchmark.tasks if any(task.name in r.tasks for r in rows)]
    mean = f"mean of {len(benchmark.tasks)}"
    return ("method", *tasks, *groups, *means, mean, "mean rank", "trials", "trainable", "protocol")


def lines(
    benchmark: Benchmark,
    rows: Sequence[Row],
    others: Sequence[Published],
    protocol: str,
    form: str,
) -> list[str]:
    """The lines of the table in one of the forms."""
    columns = head(benchmark, rows)
    plain = form == "csv"
    cells = [_cells(row, columns, benchmark, protocol, plain) for row in rows]
    cells += [_published(figure, columns, benchmark) for figure in others]
    return drawn(cells, columns, form)


def check(form: str) -> None:
    """`UnknownName` unless tables are drawn in this form."""
    if form not in _FORMS:
        raise UnknownName("format", form, _FORMS)


def drawn(rows: Sequence[Cells], head: Cells, form: str) -> list[str]:
    """The lines of a table."""
    return _FORMS[form](rows, head)


def _cells(row: Row, columns: Cells, benchmark: Benchmark, protocol: str, plain: bool) -> Cells:
    figures = {**row.tasks, **row.groups, GROUP_MEAN: row.group_mean}
    figures[f"mean of {len(benchmark.tasks)}"] = row.task_mean
    words = {
        "method": row.method,
        "mean rank": "" if row.rank is None else f"{row.rank:.2f}",
        "trials": str(row.trials or ""),
        "trainable": "" if row.trainable is None else f"{row.trainable:.0f}",
        "protocol": f"{protocol}; failed: {row.error}" if row.error else protocol,
    }
    return tuple(words.get(name) or _cell(figures.get(name), plain) for name in columns)


def _cell(figure: Figure | None, plain: bool) -> str:
    """72.3 ± 0.8, by the seeds where there are several, else by the test images."""
    if figure is None:
        return ""
    if plain:
        return f"{100 * figure.accuracy:.2f}"
    low, high = figure.interval
    around = (high - low) / 2 if figure.spread is None else figure.spread
    return f"{100 * figure.accuracy:.1f} ± {100 * around:.1f}"


def _published(figure: Published, columns: Cells, benchmark: Benchmark) -> Cells:
    names = [task.name for task in benchmark.tasks]
    values: dict[str, float | None] = dict(zip(names, figure.tasks, strict=False))
    values |= zip(benchmark.groups, figure.groups, strict=False)
    values |= {GROUP_MEAN: figure.group_mean, f"mean of {len(names)}": figure.task_mean}
    words = {
        "method": f"{figure.method}, {figure.source}",
        "protocol": f"published, {figure.protocol}",
    }
    numbers = {name: f"{value:.1f}" for name, value in values.items() if value is not None}
    return tuple(words.get(name) or numbers.get(name, "") for name in columns)


def _as_text(rows: Sequence[Cells], head: Cells) -> list[str]:
    return table([[name.upper() for name in head], *rows])


def _as_latex(rows: Sequence[Cells], head: Cells) -> list[str]:
    """A tabular: methods to the left, figures to the right."""
    body = [f"{' & '.join(map(_escaped, row))} \\\\" for row in (head, *rows)]
    columns = "l" + "r" * (len(head) - 2) + "l"
    first, *rest = body
    return [f"\\begin{{tabular}}{{{columns}}}", first, "\\hline", *rest, "\\end{tabular}"]


def _escaped(cell: str) -> str:
    for sign in ("&", "%", "_", "#"):
        cell = cell.replace(sign, f"\\{sign}")
    return cell.replace(" ± ", r" $\pm$ ")


def _as_csv(rows: Sequence[Cells], head: Cells) -> list[str]:
    file = StringIO()
    csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return file.getvalue().splitlines()


_FORMS = {"text": _as_text, "markdown": as_markdown, "latex": _as_latex, "csv": _as_csv}
