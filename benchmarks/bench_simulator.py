"""Speed of make_liposomes against the same physics written as a loop over images.

The opponent draws each shell of each image pixel by pixel with numpy in float64, on a
field of the same kind, and does one FFT an image. Both run on one thread in the same
process, on 64x64 images, and take their scenes from the same distributions; the time
for drawing the scene counts for make_liposomes only. The ratio is that of the medians
of three runs.

    python benchmarks/bench_simulator.py [number of images]
"""

import sys

import numpy as np
from _timing import by_turns, report

from emclassify.datasets import make_liposomes
from emclassify.datasets.liposomes._bilayer import projected_bilayer
from emclassify.datasets.liposomes._ctf import interaction_constant, transfer_function
from emclassify.datasets.liposomes._scene import draw_scene

SIZE, PAD, THICKNESS = 64, 8, 3.8


def draw_parameters(rng, n_images):
    """Draw a scene as make_liposomes does."""
    classes = rng.choice(
        ["unilamellar", "multilamellar", "uncertain"], n_images, p=[0.873, 0.121, 0.006]
    )
    return draw_scene(
        rng,
        "lamellarity",
        classes,
        radius=45.0,
        radius_spread=0.3,
        max_ellipticity=0.25,
        thickness=THICKNESS,
        filling=0.0,
        neighbours=0.8,
        contamination=0.04,
        margin=(0.15, 0.4),
        half_field=None,
    )


def elliptical(row, x, y):
    """Coordinates of the pixels in the axes of an ellipse."""
    cos, sin = np.cos(row["angle"]), np.sin(row["angle"])
    dx, dy = x - row["x"], y - row["y"]
    return dx * cos + dy * sin, dy * cos - dx * sin


def rows_of(table, image):
    """Yield the rows of one image, as dicts."""
    for i in np.flatnonzero(table["image"] == image):
        yield {name: float(column[i]) for name, column in table.items()}


def loop_over_images(rng, scene):
    """One image after the other, one object after the other."""
    images = []
    field = SIZE + 2 * PAD
    for image, half_field in enumerate(scene.columns["half_field"]):
        pixel = 2 * half_field / SIZE
        axis = (np.arange(field) - (field - 1) / 2) * pixel
        x, y = np.meshgrid(axis, axis)
        potential = np.zeros((field, field))
        for row in rows_of(scene.shells, image):
            u, v = elliptical(row, x, y)
            q = np.hypot(u / row["a"], v / row["b"])
            slope = np.hypot(u / row["a"] ** 2, v / row["b"] ** 2)
            distance = (q - 1) * q / slope
            radius = np.sqrt(row["a"] * row["b"])
            drawn = projected_bilayer(
                np.maximum(distance, -radius), radius, THICKNESS, 0.5 * pixel
            )
            if row["opening"] > 0:
                theta = np.arctan2(y - row["y"], x - row["x"]) - row["opening_angle"]
                theta = np.angle(np.exp(1j * theta))
                drawn *= 1 - np.exp(-((theta / row["opening"]) ** 6))
            potential += row["strength"] * drawn
        for row in rows_of(scene.balls, image):
            u, v = elliptical(row, x, y)
            q2 = (u / row["a"]) ** 2 + (v / row["b"]) ** 2
            depth = 2 * np.sqrt(row["a"] * row["b"])
            potential += row["potential"] * depth * np.sqrt(np.maximum(1 - q2, 0))
        ice = rng.normal(0.0, 0.03 / pixel, (field, field))
        k = np.fft.fftfreq(field, pixel)
        k2 = k[:, None] ** 2 + k**2
        blur = np.exp(-2 * np.pi**2 * (0.5 * pixel) ** 2 * k2)
        wave = np.fft.fft2(interaction_constant(200.0) * potential)
        wave += np.fft.fft2(ice) * blur
        wave *= transfer_function(k2, rng.uniform(1.5, 4.0))
        intensity = 1 + 2 * np.fft.ifft2(wave).real[PAD:-PAD, PAD:-PAD]
        electrons = rng.uniform(10, 30) * 100 * pixel**2
        counts = rng.poisson(np.maximum(intensity, 0.02) * electrons)
        grey = 140 + 400 * (counts / electrons - 1)
        images.append(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    return np.stack(images)


def main(n_images):
    n_looped = max(1, n_images // 10)
    scene = draw_parameters(np.random.default_rng(0), n_looped)
    make_liposomes(16, random_state=0)
    looped, ours = by_turns(
        lambda: loop_over_images(np.random.default_rng(0), scene),
        lambda: make_liposomes(n_images, random_state=0),
        runs=3,
    )
    report(
        "make_liposomes, 64×64",
        n_images / ours,
        "loop over images",
        n_looped / looped,
        unit="images/s",
    )
    print(f"14,169 images would take {14169 * ours / n_images:.1f} s on one thread")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
