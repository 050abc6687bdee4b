"""PNG, JPEG and BMP files, and some more that Pillow reads."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from emclassify.readers._format import Format
from emclassify.readers._image_series import (
    ImageFile,
    Rows,
    Series,
    refuse_implausible,
)

__all__ = ["FORMAT", "without_palette"]

_STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"BM",
    b"GIF8",
    b"\x00\x00\x00\x0cjP  ",
    *(b"P%d" % i for i in range(1, 7)),
)
_ORIENTATION = 0x0112


def _recognises(head: bytes, path: Path) -> bool:
    return head.startswith(_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _open(
    path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
) -> ImageFile:
    try:
        picture = Image.open(file)
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{error}. Pillow refuses so large a picture; save it as TIFF or MRC"
        ) from error
    n = getattr(picture, "n_frames", 1)
    if n == 1:
        image, orientation = _read(picture, path)
        series = [Series(image[np.newaxis], orientation=orientation)]
    else:
        series = [_frame(picture, i, path) for i in range(n)]

    def close() -> None:
        picture.close()
        file.close()

    return ImageFile(path, "png", series, close)


def _frame(picture: Image.Image, number: int, path: Path) -> Series:
    """Return one of several pictures in a file; they may differ in size."""

    def read(_: int = 0) -> np.ndarray:
        picture.seek(number)
        return _read(picture, path)[0]

    image = read()
    return Series(Rows((1, *image.shape), image.dtype, read))


def _read(picture: Image.Image, path: Path) -> tuple[np.ndarray, int]:
    """Return the picture without its alpha channel, and its orientation."""
    bands = len(picture.getbands())
    refuse_implausible((picture.height, picture.width, bands), np.uint8, path)
    raw = picture.tile[0][3] if picture.tile else ""
    raw = raw if isinstance(raw, str) else str(raw[:1])
    mode = picture.mode
    if (own := _own_numbers(picture, path)) is not None:
        image = own
    elif "16" in raw and mode in ("RGB", "RGBA", "LA"):
        image = _sixteen_bit_colour(picture, path)
    elif mode in ("P", "PA"):
        image = _without_palette(picture)
    elif mode in ("CMYK", "YCbCr"):
        image = np.array(picture.convert("RGB"))
    elif mode == "1":
        image = np.array(picture.convert("L"))
    elif mode in ("LAB", "HSV"):
        raise ValueError(f"its colours are {mode}; save it as grey or RGB")
    else:
        image = np.array(picture)
    if image.dtype == np.int32 and "16" in raw:
        # Pillow's mode of 32 bits also stands for greys of 16.
        image = image.astype(np.uint16)
    if image.ndim == 3:
        # Of these modes, the second or fourth sample is alpha.
        image = image[..., 0] if image.shape[2] <= 2 else image[..., :3]
    # Only files that have it are asked: to ask takes as long as to read.
    has_exif = any("exif" in str(key).lower() for key in picture.info)
    orientation = picture.getexif().get(_ORIENTATION, 1) if has_exif else 1
    return image, orientation if orientation in range(1, 9) else 1


def _own_numbers(picture: Image.Image, path: Path) -> np.ndarray | None:
    """Return the numbers of a file that Pillow would rescale, or None."""
    if not picture.tile:
        return None
    codec, _, offset, args = picture.tile[0]
    if codec == "jpeg2k" and (bits := _jpeg_2000_bits(path)) != 8:
        try:
            import imagecodecs
        except ImportError as error:
            raise ImportError(
                f"it is a JPEG 2000 of {bits or 'several numbers of'} bits a channel, "
                "which Pillow rescales; imagecodecs reads them as they are: pip "
                'install "emclassify[codecs]"'
            ) from error
        return np.asarray(imagecodecs.jpeg2k_decode(path.read_bytes()))
    if codec == "ppm":
        dtype = np.dtype(">u2" if args[1] > 255 else "u1")
        bands = len(picture.getbands())
        shape = (picture.height, picture.width, bands)[: 2 + (bands > 1)]
        image = np.fromfile(path, dtype, math.prod(shape), offset=offset)
        if image.size < math.prod(shape):
            raise ValueError(f"it has {image.size} of {math.prod(shape)} values")
        return image.reshape(shape).astype(dtype.newbyteorder("="))
    if codec == "ppm_plain" and isinstance(args, tuple):
        if args[1] == 65535 and picture.mode == "I":
            return np.array(picture).astype(np.uint16)
        if args[1] != 255:
            raise ValueError(
                f"its white is {args[1]} in text (P2, P3), which Pillow rescales; save "
                "it as TIFF, or as PGM or PPM in binary (P5, P6)"
            )
    return None


def _jpeg_2000_bits(path: Path) -> int:
    """Return the bits of a sample, as the image header has them; 0 if they differ."""
    with open(path, "rb") as file:
        head = file.read(4096)
    place = head.find(b"ihdr")
    # Height, width and number of channels come first; 255 is of channels that differ.
    bits = head[place + 14] if 0 <= place < len(head) - 14 else 7
    return 0 if bits == 255 else (bits & 0x7F) + 1


def _without_palette(picture: Image.Image) -> np.ndarray:
    """Return the greys or colours that the numbers of a palette stand for."""
    numbers = np.array(picture if picture.mode == "P" else picture.getchannel("P"))
    colours = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return without_palette(numbers, colours)


def without_palette(numbers: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Return colours[numbers], with one channel if all colours in use are grey."""
    used = np.unique(numbers)
    if used[-1] >= len(colours):
        raise ValueError(f"its palette of {len(colours)} has no number {used[-1]}")
    if (colours[used] == colours[used][:, :1]).all():
        colours = colours[:, 0]
    return colours[numbers]


def _sixteen_bit_colour(picture: Image.Image, path: Path) -> np.ndarray:
    try:
        import imagecodecs
    except ImportError as error:
        raise ImportError(
            "it has 16 bits a channel in colour, of which Pillow reads only 8; "
            'imagecodecs reads all: pip install "emclassify[codecs]"'
        ) from error
    return np.asarray(imagecodecs.imread(str(path)))


FORMAT = Format(
    "png", (".png", ".jpg", ".jpeg", ".bmp"), _recognises, _open, stacks=False
)
