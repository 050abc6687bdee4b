"""Reads one image file as an array, in its own integer type."""

import numpy as np
import tifffile
from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

# Luminance as ITU-R BT.601 has it, in thousandths.
_LUMINANCE = np.array([299, 587, 114])


def _read_tiff(path):
    """Return the one image of a TIFF file, channels last."""
    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise ValueError("it holds no image")
        series = file.series[0]
        image, axes = series.asarray(), series.axes
        photometric = file.pages[0].photometric
    # Samples stored plane by plane come first: put them last.
    if image.ndim == 3 and axes.startswith("S"):
        image, axes = np.moveaxis(image, 0, -1), "YXS"
    if image.ndim != 2 and not (image.ndim == 3 and axes == "YXS"):
        raise ValueError(
            f"it holds {len(file.pages)} pages, shape {image.shape}; save one image a "
            "file"
        )
    if photometric == tifffile.PHOTOMETRIC.PALETTE:
        raise ValueError("it stores colours in a palette; save it as grey or RGB")
    if photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        if image.dtype.kind not in "bu":
            raise ValueError(f"it stores white as 0 in {image.dtype}; save it as grey")
        image = ~image
    return image


def _read_with_pillow(path):
    """Return the one image of a PNG, JPEG or other file that Pillow knows."""
    with Image.open(path) as file:
        if getattr(file, "n_frames", 1) > 1:
            raise ValueError(f"it holds {file.n_frames} frames; save one image a file")
        raw_mode = file.tile[0][3] if file.tile else ""
        raw_mode = raw_mode if isinstance(raw_mode, str) else str(raw_mode[:1])
        if "16" in raw_mode and file.mode in ("RGB", "RGBA", "LA"):
            raise ValueError(
                "it has 16 bits a channel in colour, of which only 8 would be read; "
                "save it as TIFF or as 16-bit grey"
            )
        if file.mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV"):
            file = file.convert("RGB")
        elif file.mode == "1":
            file = file.convert("L")
        image = np.array(file)
    if image.dtype == np.int32 and image.min() >= 0 and image.max() <= 65535:
        # Pillow's 32-bit mode also stands for 16-bit greys.
        image = image.astype(np.uint16)
    return image


def read_image(path, *, as_gray, image_shape):
    """Return the image in a file, (height, width) or (height, width, 3).

    Raises whatever the readers raise, or ValueError, if it cannot be had.
    """
    if path.stat().st_size == 0:
        raise ValueError("the file is empty (0 bytes)")
    tiff = path.suffix.lower() in (".tif", ".tiff")
    image = _read_tiff(path) if tiff else _read_with_pillow(path)
    if image.dtype == bool:
        image = image.astype(np.uint8) * np.uint8(255)
    if image.dtype.kind not in "uif":
        raise ValueError(f"its pixels are {image.dtype}; expected real numbers")
    if not image.dtype.isnative:
        image = image.astype(image.dtype.newbyteorder("="))
    if image.ndim == 3 and image.shape[2] in (1, 2):
        image = image[..., 0]
    elif image.ndim == 3:
        image = image[..., :3]
    if as_gray and image.ndim == 3:
        if image.dtype.kind == "f":
            image = (image @ (_LUMINANCE / 1000)).astype(image.dtype)
        else:
            wide = image.astype(np.int64) @ _LUMINANCE
            image = ((wide + 500) // 1000).astype(image.dtype)
    if image_shape is not None and image.shape[:2] != tuple(image_shape):
        raise ValueError(
            f"its size is {image.shape[:2]}, not image_shape={tuple(image_shape)}"
        )
    return image
