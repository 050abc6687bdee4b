"""The record of a part of a study, by which an interrupted study goes on."""

import json
import sys
from pathlib import Path
from typing import Any

from emclassify._version import __version__
from emclassify._whole_file import whole_file

__all__ = ["is_done", "read_record", "write_record"]


def read_record(folder: Path, name: str) -> dict[str, Any]:
    """Return what was written of a part."""
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def write_record(folder: Path, name: str, record: dict[str, Any]) -> None:
    """Write what there is to say of a part."""
    text = json.dumps(record, indent=2, ensure_ascii=False)
    # A part whose record is cut short would be neither done nor run again.
    with whole_file(folder / f"{name}.json") as file:
        file.write(f"{text}\n".encode())


def is_done(
    folder: Path, name: str, setting: dict[str, Any], *, last: str = ".json"
) -> bool:
    """Whether a part has been run; exits if at other settings or of another version.

    Parameters
    ----------
    folder : Path
        Where its files are.
    name : str
        Of the part.
    setting : dict
        How large the part is to be: its record has the same under "setting".
    last : str, default=".json"
        End of the name of the file that is written last.
    """
    if not (folder / f"{name}{last}").exists():
        return False
    record = read_record(folder, name)
    had, version = record["setting"], record["versions"]["emclassify"]
    if version != __version__:
        sys.exit(
            f"The folder holds {name} of emclassify {version}; this is {__version__}. "
            "Give another --out, or remove its files."
        )
    # As JSON has it, lists for tuples.
    asked = json.loads(json.dumps(setting))
    differing = [key for key in asked if had.get(key) != asked[key]]
    if differing:
        sys.exit(
            f"The folder holds {name} of a run with other settings "
            f"({', '.join(differing)}). Give another --out, or remove its files."
        )
    return True
