"""The project's version, which adapter cards, model cards and the package itself state."""

__version__ = "0.1.0"
