"""Where the printed figures come from: `commands` is the door, the questions behind it.

    python -m peft_demo compare --data DATA      comparison.py  methods × seeds: accuracy and cost
    python -m peft_demo bench tune --data DATA   tuning.py      settings, by validation images
    python -m peft_demo bench methods            steps.py       a step beside a plain LoRA's
    python -m peft_demo bench switch             switching.py   choosing, loading, merging adapters
    python -m peft_demo bench predict            answering.py   answers of one adapter and of many
    python -m peft_demo bench start              starting.py    commands and page, until they answer
    python -m peft_demo bench run --data DATA    running.py     whole runs beside timm and peft
    python -m peft_demo bench vtab|fgvc|fewshot  field/         the field's benchmarks

`compare` and `tune` do their runs one after the other (`sweep.py`, `runner.py`) or with `--workers`
some at a time (`workers.py`). Each run is a line of a file as soon as it ends, so the same command
goes on where it was stopped; lines and what a table makes of them are `studio.comparison`'s, and
`from_page.py` does what the page has asked for. The two about answers stand beside
huggingface/peft, where it is installed (`huggingface.py`). `start` and `run` time processes of
their own (`processes.py`); `run` needs peft, and its script (`peft_script.py`) can be read and run
alone.
"""
