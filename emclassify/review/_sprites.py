"""Thumbnails of many images, side by side on few sheets."""

import hashlib
import io
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from emclassify._thumbnails import to_8_bit, visible_channels
from emclassify.display._thumbnails import image_at

__all__ = ["SHEET_COLUMNS", "Pictures", "Sheet", "encode", "fitted", "sheets_of"]

# Thumbnails a row and a column of a sheet.
SHEET_COLUMNS = 32
_QUALITY = 88


class Pictures:
    """Images as 8-bit pictures, read one by one.

    What can't be read is counted, not raised: a page of ten thousand images must not
    fail for one.

    Parameters
    ----------
    images : sequence of n images
        Arrays (height, width) or (height, width, channels) of any sizes, or paths; in
        a list, an exception says why there is no image.

    Attributes
    ----------
    unread : dict of int to str
        Images that can't be read, and why.
    """

    def __init__(self, images: Sequence) -> None:
        self._images = images
        self.unread = {}

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Image.Image | None:
        """Return image `index` as a PIL image of mode L or RGB, or None."""
        if index in self.unread:
            return None
        if isinstance(item := self._item(index), Exception):
            self.unread[index] = str(item)[:200]
            return None
        try:
            image = image_at(self._images, index)
        except Exception as error:
            self.unread[index] = f"{type(error).__name__}: {error}"[:200]
            return None
        if image is None or 0 in image.shape[:2]:
            self.unread[index] = "it is no image (height, width[, channels])"
            return None
        return Image.fromarray(to_8_bit(visible_channels(image)))

    def name(self, index: int) -> str | None:
        """Return the name of a file, or None for an array."""
        item = self._item(index)
        return os.fspath(item) if isinstance(item, str | os.PathLike) else None

    def _item(self, index):
        images = self._images
        return images.iloc[index] if hasattr(images, "iloc") else images[index]


@dataclass
class Sheet:
    """Thumbnails side by side, and the images that they are of.

    Attributes
    ----------
    picture : PIL image
        `SHEET_COLUMNS` thumbnails a row; as many rows as it needs.
    members : list of (int, PIL image or None)
        Numbers of the images, in the order of the thumbnails, and the images; None
        where one can't be read.
    digests : list of bytes
        Of the thumbnails.
    """

    picture: Image.Image
    members: list
    digests: list


def sheets_of(
    pictures: Pictures,
    tile: int,
    order: list[int],
    *,
    update: Callable[[], object] = lambda: None,
) -> Iterator[Sheet]:
    """Yield sheets of thumbnails.

    Parameters
    ----------
    pictures : Pictures
    tile : int
        Pixels a side of a thumbnail. A multiple of 8, so that the blocks of the
        compression don't reach over from one to the next.
    order : list of int
        Images in the order of their thumbnails. In that of the page, few sheets are
        needed before it is seen.
    update : callable
        Called after each image, such as that of a progress bar.

    Yields
    ------
    Sheet
    """
    per_sheet = SHEET_COLUMNS**2
    for start in range(0, len(order), per_sheet):
        members = []
        for i in order[start : start + per_sheet]:
            members.append((i, pictures.read(i)))
            update()
        colour = any(p is not None and p.mode == "RGB" for _, p in members)
        size = SHEET_COLUMNS * tile, math.ceil(len(members) / SHEET_COLUMNS) * tile
        sheet = Image.new("RGB" if colour else "L", size)
        digests = []
        for place, (_, picture) in enumerate(members):
            if picture is None:
                digests.append(b"")
                continue
            small = fitted(picture, tile)
            digests.append(hashlib.sha256(small.tobytes()).digest())
            x = (place % SHEET_COLUMNS) * tile + (tile - small.width) // 2
            y = (place // SHEET_COLUMNS) * tile + (tile - small.height) // 2
            sheet.paste(small, (x, y))
        yield Sheet(sheet, members, digests)


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """Return a picture as large as fits a square of that side."""
    scale = side / max(picture.size)
    if scale == 1:
        return picture
    size = [max(1, round(scale * length)) for length in picture.size]
    kind = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    return picture.resize(size, kind)


def encode(picture: Image.Image) -> bytes:
    """Return a picture as the bytes of a JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()
