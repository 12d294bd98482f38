"""The field's benchmarks, by their official lists: VTAB-1k, FGVC, and few-shot sets of any kind.

    python -m peft_demo bench vtab --root DIR --methods M      vtab.py    19 tasks
    python -m peft_demo bench fgvc --root DIR --methods M      fgvc.py    5 sets
    python -m peft_demo bench fewshot --data D --methods M     fewshot.py any sets × shots × seeds

A protocol says which settings a method tries on validation images (`ours.py`, `paper.py`); the best
are trained again on all training images and tested once (`protocol.py`). Each run is a job of
`bench.sweep` and a line of its file, so the same command goes on where it was stopped. Training
images are tensors in memory (`images.py`); test images are read batch by batch (`stream.py`).
`table.py` counts, `critical.py` says which ranks differ, `published.py` has the figures of others.
"""
