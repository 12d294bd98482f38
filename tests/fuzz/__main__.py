"""python -m tests.fuzz: mutated input of every kind; exit code 1 if anything is wrong."""

import argparse
import os
import sys
from time import perf_counter

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from .runner import kinds, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=sorted(kinds()), help="only this one")
    options = parser.parse_args()
    wrong = 0
    for name, kind in kinds().items():
        if options.kind in (None, name):
            start = perf_counter()
            report = run(kind, options.cases, options.seed)
            print("\n".join(report.lines()), f"({perf_counter() - start:.0f} s)", flush=True)
            wrong += report.wrong
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
