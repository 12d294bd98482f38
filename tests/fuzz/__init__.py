"""Mutated input of every kind, and what the project makes of it.

    python -m tests.fuzz --cases 10000 --seed 1

prints for each kind how many cases were tried, refused in a sentence, accepted and sound, or wrong.
A small share of the cases runs in the default tests (`tests/test_fuzz.py`).

One file is a kind: it has a `KIND`, and is found by name. See `runner.Kind`.
"""
