"""Figures of others on ViT-B/16 (ImageNet-21k), to be printed beside ours: each with its protocol.

LAST are tuned runs by the last epoch, from the result files of the Ohio State study (OSU-MLB,
ViT_PEFT_Vision). BEST_TEST are the papers' own, by the epoch that was best on the test images,
which adds 0.5 to 1.5 points; AugReg is another checkpoint. PAPER says that we know no more.
"""

from dataclasses import dataclass

LAST = "last epoch"
BEST_TEST = "best test epoch"
PAPER = "paper"


@dataclass(frozen=True)
class Published:
    """Accuracies in percent; None where the source has none."""

    method: str
    """Of this project."""
    source: str
    protocol: str
    task_mean: float | None = None
    group_mean: float | None = None
    groups: tuple[float, ...] = ()
    tasks: tuple[float, ...] = ()
    """In the benchmark's order."""


def _tasks(*groups: str) -> tuple[float, ...]:
    return tuple(float(word) for group in groups for word in group.split())


VTAB = (
    Published("convpass", "OSU", LAST, 74.2, 76.4),
    Published("houlsby", "OSU", LAST, 74.0, 76.3),
    Published("adaptformer", "OSU", LAST, 73.7, 76.0),
    Published("fact_tt", "OSU", LAST, 73.7, 75.9),
    Published("repadapter", "OSU", LAST, 73.6, 75.8),
    Published("lora", "OSU", LAST, 72.9, 75.2),
    Published("ssf", "OSU", LAST, 73.0, 75.1),
    Published("bitfit", "OSU", LAST, 72.2, 74.5),
    Published("vpt_deep", "OSU", LAST, 71.3, 73.4),
    Published("convpass", "OSU", BEST_TEST, 75.6, 77.7),
    Published("houlsby", "OSU", BEST_TEST, 75.1, 77.3),
    Published("adaptformer", "OSU", BEST_TEST, 74.8, 77.1),
    Published("fact_tt", "OSU", BEST_TEST, 74.7, 77.0),
    Published("repadapter", "OSU", BEST_TEST, 74.7, 77.0),
    Published("lora", "OSU", BEST_TEST, 74.4, 76.7),
    Published("ssf", "OSU", BEST_TEST, 74.0, 76.2),
    Published("bitfit", "OSU", BEST_TEST, 73.3, 75.8),
    Published("vpt_deep", "OSU", BEST_TEST, 73.5, 75.8),
    Published(
        "arc",
        "Dong 2023",
        BEST_TEST,
        73.4,
        None,
        (81.6, 85.8, 60.0),
        _tasks(
            "72.2 90.1 72.7 99.0 91.0 91.9 54.4",
            "84.9 95.7 86.7 75.8",
            "80.7 67.1 48.7 81.6 79.2 51.0 31.4 39.9",
        ),
    ),
    Published(
        "rlrr",
        "Dong 2024",
        BEST_TEST,
        74.5,
        None,
        (82.7, 85.8, 61.8),
        _tasks(
            "75.6 92.4 72.9 99.3 91.5 89.8 57.0",
            "86.8 95.2 85.3 75.9",
            "79.7 64.2 53.9 82.1 83.9 53.7 33.4 43.6",
        ),
    ),
    Published(
        "hta",
        "Dong 2024",
        BEST_TEST,
        74.7,
        None,
        (82.4, 86.0, 62.3),
        _tasks(
            "76.6 94.3 72.5 99.3 91.3 86.2 56.5",
            "87.6 95.7 85.0 75.7",
            "82.6 63.3 52.5 81.0 84.5 52.6 34.5 47.3",
        ),
    ),
    Published("aoft_lora", "Yang 2025", BEST_TEST, 74.1),
    Published("convpass", "Jie 2022", BEST_TEST, 74.4, 76.6, (81.7, 85.3, 62.7)),
    Published("repadapter", "Luo 2023", BEST_TEST, 73.8, 76.1, (81.6, 85.4, 61.2)),
    Published("fact_tk", "Jie 2023", BEST_TEST, 73.2, 75.6, (80.6, 85.3, 60.7)),
    Published("fact_tt", "Jie 2023", BEST_TEST, None, 75.3),
    Published("ssf", "Lian 2022, AugReg", BEST_TEST, 73.1, 75.7, (81.6, 86.6, 59.0)),
    Published("lora", "Zhang 2022", BEST_TEST, 72.3, 74.5, (79.5, 84.6, 59.8)),
    Published("adapter", "Zhang 2022", BEST_TEST, 71.4, 73.9, (79.0, 84.1, 58.5)),
    Published("vpt_deep", "Jia 2022", PAPER, 69.4, 72.0, (78.5, 82.4, 55.0)),
    Published("vpt_shallow", "Jia 2022", PAPER, 64.9, 67.8, (76.8, 79.7, 47.0)),
    Published("full", "Jia 2022", PAPER, 65.6, 68.9, (75.9, 83.4, 47.6)),
    Published("linear", "Jia 2022", PAPER, 53.0, 57.6, (69.1, 77.1, 26.8)),
    Published("spt_lora", "He 2023", BEST_TEST, None, 76.4, (81.9, 85.9, 61.3)),
    Published("spt_adapter", "He 2023", BEST_TEST, None, 76.4, (82.0, 85.8, 61.4)),
    Published("bi_adaptformer", "Jie 2023", BEST_TEST, None, 77.0),
    Published("bi_lora", "Jie 2023", BEST_TEST, None, 76.7),
    Published("adapter_plus", "Steitz 2024", LAST, None, 77.6),
)

FGVC = (
    Published("full", "Jia 2022", PAPER, 88.5, None, (), (87.3, 82.7, 98.8, 89.4, 84.5)),
    Published("linear", "Jia 2022", PAPER, 79.3, None, (), (85.3, 75.9, 97.9, 86.2, 51.3)),
    Published("vpt_deep", "Jia 2022", PAPER, 89.1, None, (), (88.5, 84.2, 99.0, 90.2, 83.6)),
    Published("lora", "Dong 2024", BEST_TEST, 89.5, None, (), (88.3, 85.6, 99.2, 91.0, 83.2)),
    Published("arc", "Dong 2023", BEST_TEST, 90.1, None, (), (88.5, 85.3, 99.3, 91.9, 85.7)),
    Published("rlrr", "Dong 2024", BEST_TEST, 90.4, None, (), (89.3, 84.7, 99.5, 92.0, 87.0)),
    Published("hta", "Dong 2024", BEST_TEST, 90.6, None, (), (88.8, 84.4, 99.5, 92.2, 87.9)),
    Published("aoft_lora", "Yang 2025", BEST_TEST, 89.9, None, (), (88.8, 84.2, 99.4, 92.0, 85.1)),
    Published("spt_lora", "He 2023", PAPER, 90.1, None, (), (88.6, 83.4, 99.5, 91.4, 87.3)),
    Published("spt_adapter", "He 2023", PAPER, 89.8, None, (), (89.1, 83.3, 99.2, 91.1, 86.2)),
)

FIGURES = {"vtab": VTAB, "fgvc": FGVC}
"""Benchmark → what others published on it."""


def beside(benchmark: str, methods: set[str]) -> list[Published]:
    """The published figures of these methods."""
    return [figure for figure in FIGURES.get(benchmark, ()) if figure.method in methods]
