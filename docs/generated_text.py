"""Texts that programs print: the command line's help, and changes not yet released."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path


def write(folder):
    """Write the texts to `folder`."""
    folder = Path(folder)
    for command in (
        "benchmark",
        "train",
        "predict",
        "review",
        "label",
        "particles",
    ):
        path = folder / f"emclassify_{command}.txt"
        path.write_text(help_text(command), "utf-8")
    (folder / "unreleased.inc").write_text(unreleased_changes(), "utf-8")


def help_text(command):
    """Return what the help of a command prints."""
    from emclassify.cli import main

    os.environ["COLUMNS"] = "84"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([command, "--help"])
    return printed.getvalue()


def unreleased_changes():
    """Return the changelog fragments as one text."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft"]
    done = subprocess.run(
        [*command, "--version", "Unreleased", "--date", "so far"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
