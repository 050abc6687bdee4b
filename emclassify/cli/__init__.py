"""The command line: a thin layer over the public Python API."""

from emclassify.cli._main import main

__all__ = ["main"]
