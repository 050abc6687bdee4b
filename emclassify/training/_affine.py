"""Random affine maps of a whole batch, on the device where it lies."""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["RandomAffine", "affine"]

_MODES = ("bilinear", "bicubic", "nearest", "spline")
_PADDING = ("reflection", "border", "zeros")


def affine(
    images: torch.Tensor,
    angle: torch.Tensor,
    translate: torch.Tensor,
    scale: torch.Tensor,
    shear: torch.Tensor,
    *,
    interpolation: str = "bicubic",
    padding_mode: str = "reflection",
) -> torch.Tensor:
    """Rotate, shear, scale and shift each image about its centre.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    angle : Tensor of shape (n,)
        Radians, counter-clockwise as the image is seen.
    translate : Tensor of shape (n, 2)
        Shift (right, down) in pixels.
    scale : Tensor of shape (n,)
        Above 1 magnifies.
    shear : Tensor of shape (n,)
        Radians between the sheared vertical and the vertical.
    interpolation : {"bicubic", "bilinear", "nearest", "spline"}
        "spline" is the interpolating cubic B-spline, ``order=3`` of `scipy.ndimage`;
        "bicubic" is cubic convolution with a = -0.75.
    padding_mode : {"reflection", "border", "zeros"}
        What lies outside the image. Reflection repeats the edge pixel, as
        ``mode="reflect"`` of `scipy.ndimage`. With "spline", zeros begin beyond the
        centres of the outermost pixels, as with its ``mode="constant"``.

    Returns
    -------
    Tensor of shape (n, channels, height, width)
    """
    height, width = images.shape[-2:]
    cos, sin = torch.cos(angle), torch.sin(angle)
    # Where does an output pixel come from: undo the shift, the rotation and the
    # scale, then the shear. Rows of the inverse map, in pixels (x right, y down).
    tan = torch.tan(shear)
    xx, xy = (cos - tan * sin) / scale, (-sin - tan * cos) / scale
    yx, yy = sin / scale, cos / scale
    dx, dy = translate.unbind(1)
    # grid_sample measures in half-widths and half-heights.
    aspect = height / width
    theta = torch.stack(
        [
            torch.stack([xx, xy * aspect, -(xx * dx + xy * dy) * 2 / width], 1),
            torch.stack([yx / aspect, yy, -(yx * dx + yy * dy) * 2 / height], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    if interpolation == "spline":
        return _sample_spline(images, grid, padding_mode)
    return F.grid_sample(
        images,
        grid,
        mode=interpolation,
        padding_mode=padding_mode,
        align_corners=False,
    )


def _sample_spline(images, grid, padding_mode):
    """Return images at the places of a grid, by an interpolating cubic B-spline."""
    height, width = images.shape[-2:]
    device, dtype = images.device, images.dtype
    rows, columns = (_prefilter(n, device, dtype) for n in (height, width))
    knots = rows @ images @ columns.T
    x = ((grid[..., 0] + 1) * width - 1) / 2
    y = ((grid[..., 1] + 1) * height - 1) / 2
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    if padding_mode == "border":
        x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    total = torch.zeros_like(images)
    for row, of_row in _pairs(y, height):
        for column, of_column in _pairs(x, width):
            value = F.grid_sample(
                knots,
                torch.stack([column, row], -1),
                mode="bilinear",
                padding_mode="reflection",
                align_corners=False,
            )
            total += value * (of_row * of_column)[:, None]
    return total * inside[:, None] if padding_mode == "zeros" else total


def _pairs(position, n):
    """Return two places, as grid_sample counts them, and their weights.

    A linear interpolation takes two of the four knots about a position at once, where
    it divides them as their weights do, which are positive (C. Sigg and M. Hadwiger,
    GPU Gems 2, chapter 20, 2005).
    """
    first = position.floor()
    t = position - first
    one, two = (4 - 6 * t**2 + 3 * t**3) / 6, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6
    below, above = (1 - t) ** 3 / 6 + one, two + t**3 / 6
    for start, last, weight in ((-1, one, below), (1, t**3 / 6, above)):
        yield (2 * (first + start + last / weight) + 1) / n - 1, weight


@lru_cache(maxsize=32)
def _prefilter(n: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """Return the matrix from n values, mirrored at the edges, to coefficients."""
    spline = torch.zeros(n, n, dtype=torch.float64)
    index = torch.arange(n)
    for step, weight in ((-1, 1 / 6), (0, 4 / 6), (1, 1 / 6)):
        knots = (index + step).clamp(0, n - 1)  # mirrored: the edge pixel is repeated
        spline[index, knots] += weight
    return torch.linalg.inv(spline).to(device, dtype)


class RandomAffine(nn.Module):
    """Rotate, shift, scale and shear at random, each image by draws of its own.

    Acts in training mode only. The defaults are those of the liposome thesis [1]_:
    any rotation, shifts of up to 10 % of height and width, a zoom that shows 80 to
    100 % of the field, shear of up to 0.2 rad, cubic interpolation. Its flips are
    `RandomHorizontalFlip` and `RandomVerticalFlip`.

    Parameters
    ----------
    degrees : float or (float, float), default=180
        Range of the rotation; one number d means (−d, d).
    translate : (float, float), default=(0.1, 0.1)
        Largest shift to either side, as a share of width and of height.
    scale : (float, float), default=(1.0, 1.25)
        Range of the magnification. The thesis gives its inverse, [0.8, 1.0].
    shear : float or (float, float), default=(0, 11.459)
        Range of the shear in degrees; one number s means (−s, s).
    interpolation : {"bicubic", "bilinear", "nearest", "spline"}, default="bicubic"
        "spline" is what `scipy.ndimage` calls order 3, as the thesis has it. It takes
        four to five times as long as "bicubic" on a processor, from which it differs by
        2 to 7 % of the image's standard deviation.
    padding_mode : {"reflection", "border", "zeros"}, default="reflection"
        What is drawn in from outside: reflection invents no dark corners.

    References
    ----------
    .. [1] S. Gryshkevych, master's thesis, Uppsala University, 2016.

    Examples
    --------
    >>> import torch
    >>> from emclassify.training import RandomAffine
    >>> turn = RandomAffine(degrees=(90, 90), translate=(0, 0), scale=(1, 1), shear=0)
    >>> turn(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).round().int().tolist()
    [[[[2, 4], [1, 3]]]]
    """

    def __init__(
        self,
        degrees: float | Sequence[float] = 180,
        translate: Sequence[float] = (0.1, 0.1),
        scale: Sequence[float] = (1.0, 1.25),
        shear: float | Sequence[float] = (0, 11.459),
        *,
        interpolation: str = "bicubic",
        padding_mode: str = "reflection",
    ) -> None:
        super().__init__()
        self.degrees = _range("degrees", degrees)
        self.shear = _range("shear", shear, low=-89, high=89)
        self.scale = _range("scale", scale, low=1e-3, symmetric=False)
        self.translate = tuple(
            _range("translate", (0, share), low=0, high=1)[1] for share in translate
        )
        if len(self.translate) != 2:
            raise ValueError(f"translate must be two shares; got {translate!r}.")
        for name, value, known in (
            ("interpolation", interpolation, _MODES),
            ("padding_mode", padding_mode, _PADDING),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {known}; got {value!r}.")
        self.interpolation = interpolation
        self.padding_mode = padding_mode

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Augment (n, channels, height, width) in training mode."""
        if not self.training:
            return images
        n, device = len(images), images.device
        height, width = images.shape[-2:]
        angle = torch.deg2rad(_draw(self.degrees, n, device))
        right, down = (2 * torch.rand(n, 2, device=device) - 1).unbind(1)
        shift = [
            right * (self.translate[0] * width),
            down * (self.translate[1] * height),
        ]
        return affine(
            images,
            angle,
            torch.stack(shift, 1),
            _draw(self.scale, n, device),
            torch.deg2rad(_draw(self.shear, n, device)),
            interpolation=self.interpolation,
            padding_mode=self.padding_mode,
        )


def _draw(limits: Sequence[float], n: int, device: torch.device) -> torch.Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(n, device=device)


def _range(
    name: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    symmetric: bool = True,
) -> tuple[float, float]:
    """Return (from, to), checked."""
    pair = value
    if isinstance(value, int | float) and symmetric:
        pair = (-value, value)
    try:
        first, last = map(float, pair)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a pair of numbers (from, to); got {value!r}."
        ) from None
    if not low <= first <= last <= high:
        raise ValueError(
            f"{name} must be a rising pair within [{low:g}, {high:g}]; got {value!r}."
        )
    return first, last
