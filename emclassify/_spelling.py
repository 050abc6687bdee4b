"""One name in two spellings: ö as one character, or as o and its dots."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["as_stored", "composed"]


def composed(value: Any) -> Any:
    """Return a text with letters and their accents as one; other values as they are."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def as_stored(paths: Iterable[Path]) -> list[Path]:
    """Return paths as the disk spells them, those that aren't there as they are.

    A table made on one system and files that come from another may spell the same name
    in two ways: macOS takes accents from their letters, Windows parts folders by
    backslashes.
    """
    entries: dict[Path, dict[str, list[str]]] = {}

    def find(path: Path) -> Path:
        if str(path).isascii() or path == path.parent or os.path.lexists(path):
            return path
        folder = find(path.parent)
        if folder not in entries:
            entries[folder] = {}
            try:
                names = os.listdir(folder)
            except (OSError, ValueError):
                names = []
            for name in names:
                entries[folder].setdefault(composed(name), []).append(name)
        names = entries[folder].get(composed(path.name), [])
        return folder / names[0] if len(names) == 1 else path

    def find_parted(path: Path) -> Path:
        found, text = find(path), str(path)
        if "\\" not in text or os.path.lexists(found):
            return found
        parted = find(Path(text.replace("\\", "/")))
        return parted if os.path.lexists(parted) else path

    return [find_parted(path) for path in paths]
