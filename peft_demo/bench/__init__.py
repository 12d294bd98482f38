"""Where the printed figures come from: `commands` is the door, four questions behind it.

    python -m peft_demo compare --data DATA      comparison.py   methods × seeds: accuracy, size, speed, memory
    python -m peft_demo bench tune --data DATA   tuning.py       learning rates, by validation images alone
    python -m peft_demo bench methods            steps.py        a training step against a LoRA written by hand
    python -m peft_demo bench switch|predict     answering.py    swapping, loading, mixing, merging; huggingface/peft

Runs go one after the other (`series.py`) and each is a line of a file as soon as it ends (`results.py`), so that the
same command goes on where it was stopped.
"""
