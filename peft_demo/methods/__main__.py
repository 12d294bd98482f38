"""`python -m peft_demo.methods` writes the index of the methods anew, from the methods."""

from . import __path__, methods
from .index import INDEX, index_of

if __name__ == "__main__":
    cards = [method.card() for method in methods().values()]
    INDEX.write_text(index_of(cards, __path__), "utf-8")
