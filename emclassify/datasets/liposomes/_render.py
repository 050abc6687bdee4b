"""From a scene and its micrographs to a block of images and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.liposomes._bilayer import bilayer_half_width
from emclassify.datasets.liposomes._micrograph import (
    background,
    field_size,
    image_contrast,
    record,
)
from emclassify.datasets.liposomes._project import project_scene

if TYPE_CHECKING:
    from emclassify.datasets.liposomes._scene import Scene


def _cut_table(table, start, stop):
    """Return the rows of images start to stop, their image counted from 0."""
    first, last = np.searchsorted(table["image"], [start, stop])
    rows = {name: column[first:last] for name, column in table.items()}
    rows["image"] = rows["image"] - start
    return rows


def to_grey(
    intensity: NDArray[np.float32], columns: dict[str, NDArray[np.float64]], dtype: Any
) -> NDArray[Any]:
    """Scale relative intensity to grey values, by the micrograph's own scale."""
    if dtype == np.float32:
        return intensity
    mean = columns["grey_mean"].astype(np.float32)[:, np.newaxis, np.newaxis]
    gain = columns["grey_gain"].astype(np.float32)[:, np.newaxis, np.newaxis]
    grey = (intensity - 1) * gain + mean
    if dtype == np.uint16:
        grey *= 257
    return np.clip(np.rint(grey), 0, np.iinfo(dtype).max).astype(dtype)


def render(
    scene: Scene,
    columns: Any,
    seed: np.random.SeedSequence,
    start: int,
    stop: int,
    *,
    image_size: int,
    thickness: float,
    optics: dict[str, float],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return relative intensities and masks of the images start to stop."""
    own = {name: column[start:stop] for name, column in columns.items()}
    pixel_size = own["pixel_size"]
    noise_seed, shot_seed = seed.spawn(2)
    field = field_size(image_size, pixel_size, own["defocus"], optics["voltage"])
    potential = project_scene(
        _cut_table(scene.shells, start, stop),
        _cut_table(scene.balls, start, stop),
        pixel_size,
        field,
        thickness,
    )
    contrast = image_contrast(
        np.random.default_rng(noise_seed),
        potential,
        pixel_size,
        own["defocus"],
        own["ice_noise"] / pixel_size,
        optics,
    )
    edge = (field - image_size) // 2
    kept = slice(edge, edge + image_size)
    axis = np.arange(field, dtype=np.float32)[kept] - np.float32((field - 1) / 2)
    axes = axis * pixel_size.astype(np.float32)[:, np.newaxis]
    intensity = contrast[:, kept, kept]
    intensity += 1
    intensity *= background(own, axes)
    intensity = record(
        np.random.default_rng(shot_seed), intensity, own["dose"], pixel_size
    )

    cos, sin = (
        f(own["angle"]).astype(np.float32)[:, np.newaxis, np.newaxis]
        for f in (np.cos, np.sin)
    )
    a, b = (
        (own[name] + bilayer_half_width(thickness)).astype(np.float32)
        for name in ("semi_axis_a", "semi_axis_b")
    )
    x, y = axes[:, np.newaxis, :], axes[:, :, np.newaxis]
    along = (x * cos + y * sin) / a[:, np.newaxis, np.newaxis]
    across = (y * cos - x * sin) / b[:, np.newaxis, np.newaxis]
    return intensity, along**2 + across**2 <= 1
