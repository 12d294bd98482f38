"""PEFT Demo: try, compare and share parameter-efficient fine-tuning of frozen Vision Transformers."""

__version__ = "0.1.0"
