"""The geometry of simulated liposomes: what there is in each image, and where.

All lengths are in nm, from the centre of the image. Shells are the middles of lipid
bilayers, balls are solid. Both are flat tables: one row an object, column `image` says
whose it is. Nothing here loops over images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.liposomes._bilayer import bilayer_half_width

# How often each structure makes up a class, by task. The structures of full and empty
# liposomes have the ratio of the lamellarity classes.
STRUCTURES = {
    "lamellarity": {
        "unilamellar": {"single": 1.0},
        "multilamellar": {"concentric": 0.6, "inner_vesicle": 0.4},
        "uncertain": {
            "low_contrast": 0.6,
            "overlap": 0.2,
            "thin_gap": 0.1,
            "broken": 0.1,
        },
    },
    "encapsulation": {
        "full": {"single": 0.88, "concentric": 0.07, "inner_vesicle": 0.05},
        "empty": {"single": 0.88, "concentric": 0.07, "inner_vesicle": 0.05},
        "uncertain": {"faint": 0.6, "partial": 0.4},
    },
}
_LAMELLAE = {2: 0.55, 3: 0.26, 4: 0.13, 5: 0.06}
_MOST_NEIGHBOURS = 3
_ICE_POTENTIAL = 4.0


@dataclass
class Scene:
    """Shells and balls (dicts of columns), and per-image columns."""

    shells: dict
    balls: dict
    columns: dict


class _Table:
    """Collects rows of equal columns, slot by slot; sorts them by image at the end."""

    def __init__(self, **defaults):
        self._defaults = defaults
        self._parts = {name: [] for name in ("image", *defaults)}

    def add(self, image, **values):
        """Add one row for each entry of `image`; other columns broadcast."""
        self._parts["image"].append(np.asarray(image, dtype=np.intp))
        for name, default in self._defaults.items():
            value = np.asarray(values.get(name, default), dtype=np.float32)
            self._parts[name].append(np.broadcast_to(value, np.shape(image)))

    def finish(self):
        """Return the columns, sorted by image."""
        table = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        order = np.argsort(table["image"], kind="stable")
        return {name: column[order] for name, column in table.items()}


class _SceneDraft:
    """Draws the objects of all images, one kind of object after the other."""

    def __init__(self, rng, n_samples, *, draw_radius, max_ellipticity, thickness):
        self.rng = rng
        self.n = n_samples
        self.draw_radius = draw_radius
        self.max_ellipticity = max_ellipticity
        self.thickness = thickness
        where = {"x": 0.0, "y": 0.0, "a": 1.0, "b": 1.0, "angle": 0.0}
        self.shells = _Table(**where, strength=1.0, opening=0.0, opening_angle=0.0)
        self.balls = _Table(**where, potential=0.0)
        self.radius = draw_radius(n_samples)
        self.a, self.b = self._ellipses(self.radius)
        self.angle = rng.uniform(0, np.pi, n_samples)
        self.strength = np.exp(rng.normal(0.0, 0.1, n_samples))
        self.n_bilayers = np.ones(n_samples, dtype=int)

    def _ellipses(self, radius):
        """Draw semi-axes of ellipses that have the area of circles of `radius`."""
        ratio = 1 - self.max_ellipticity * self.rng.beta(1.2, 3.0, len(radius))
        return radius / np.sqrt(ratio), radius * np.sqrt(ratio)

    def _directions(self, n):
        theta = self.rng.uniform(0, 2 * np.pi, n)
        return np.cos(theta), np.sin(theta)

    def add_outer(self, broken):
        """Add each particle's outer bilayer; open it on one side where `broken`."""
        opening = np.where(broken, self.rng.uniform(0.7, 1.5, self.n), 0.0)
        self.shells.add(
            np.arange(self.n),
            a=self.a,
            b=self.b,
            angle=self.angle,
            strength=self.strength,
            opening=opening,
            opening_angle=self.rng.uniform(-np.pi, np.pi, self.n),
        )

    def add_lamellae(self, where, n_bilayers, gap):
        """Add concentric bilayers, a little off centre, with `gap` of water between."""
        spacing = self.thickness + gap
        # The innermost keeps a third of the radius, so small liposomes hold fewer.
        depth = 0.67 * self.b[where]
        count = np.clip(1 + np.floor(depth / spacing), 2, n_bilayers).astype(int)
        spacing = np.minimum(spacing, depth / (count - 1))
        self.n_bilayers[where] = count
        drift = self.rng.normal(0.0, 0.12, (2, len(where))) * gap
        for level in range(1, max(_LAMELLAE)):
            on = count > level
            i = where[on]
            self.shells.add(
                i,
                x=(drift[0] * level)[on],
                y=(drift[1] * level)[on],
                a=self.a[i] - (level * spacing)[on],
                b=self.b[i] - (level * spacing)[on],
                angle=self.angle[i],
                strength=self.strength[i],
            )

    def add_inner_vesicles(self, where):
        """Add one or two vesicles anywhere inside the outer bilayer."""
        n = len(where)
        two = self.rng.random(n) < 0.25
        self.n_bilayers[where] = 2 + two
        room = self.b[where] - self.thickness
        for slot, largest in enumerate((0.8, 0.45)):
            radius = room * self.rng.uniform(0.3, largest, n)
            a, b = self._ellipses(radius)
            offset = np.maximum(room - a, 0) * np.sqrt(self.rng.random(n))
            x, y = self._directions(n)
            tilt = self.rng.uniform(0, np.pi, n)
            on = two if slot else np.full(n, True)
            self.shells.add(
                where[on],
                x=(offset * x)[on],
                y=(offset * y)[on],
                a=a[on],
                b=b[on],
                angle=tilt[on],
                strength=self.strength[where[on]],
            )

    def add_overlap(self, where):
        """Add a second liposome that lies over a good part of the particle."""
        n = len(where)
        a, b = self._ellipses(self.radius[where] * self.rng.uniform(0.85, 1.2, n))
        offset = self.radius[where] * self.rng.uniform(0.5, 1.0, n)
        x, y = self._directions(n)
        self.n_bilayers[where] = 1
        self.shells.add(
            where,
            x=offset * x,
            y=offset * y,
            a=a,
            b=b,
            angle=self.rng.uniform(0, np.pi, n),
            strength=self.strength[where],
        )

    def add_filling(self, where, potential, size, off_centre):
        """Fill the inside with a ball of `size` times the room there is."""
        n = len(where)
        a = (self.a[where] - bilayer_half_width(self.thickness)) * size
        b = (self.b[where] - bilayer_half_width(self.thickness)) * size
        offset = self.b[where] * (1 - size) * off_centre
        x, y = self._directions(n)
        self.balls.add(
            where,
            x=offset * x,
            y=offset * y,
            a=a,
            b=b,
            angle=self.angle[where],
            potential=potential[where],
        )

    def add_neighbours(self, count, filling):
        """Add liposomes beside the particle; a few lie a little over its edge."""
        for slot in range(_MOST_NEIGHBOURS):
            radius = self.draw_radius(self.n)
            a, b = self._ellipses(radius)
            x, y = self._directions(self.n)
            gap = self.rng.exponential(12.0, self.n) - 0.04 * radius
            distance = self.radius + radius + self.thickness + gap
            place = {"angle": self.rng.uniform(0, np.pi, self.n)}
            place |= {"x": x * distance, "y": y * distance}
            inwards = self.thickness + self.rng.uniform(2.0, 10.0, self.n)
            double = (self.rng.random(self.n) < 0.12) & (b > 2 * inwards)
            there = count > slot
            self._add_rows(self.shells, there, **place, a=a, b=b)
            self._add_rows(
                self.shells, there & double, **place, a=a - inwards, b=b - inwards
            )
            self._add_rows(
                self.balls, there, **place, a=a, b=b, potential=np.roll(filling, 1)
            )

    def add_contamination(self, there, half_field):
        """Add a crystal of ice, anywhere in the field."""
        x, y = self.rng.uniform(-1, 1, (2, self.n)) * half_field
        a, b = self._ellipses(self.rng.uniform(3.0, 12.0, self.n))
        tilt = self.rng.uniform(0, np.pi, self.n)
        potential = np.full(self.n, _ICE_POTENTIAL)
        self._add_rows(
            self.balls, there, x=x, y=y, a=a, b=b, angle=tilt, potential=potential
        )

    def _add_rows(self, table, there, **columns):
        table.add(
            np.flatnonzero(there), **{name: c[there] for name, c in columns.items()}
        )


def _draw_structures(rng, task, classes):
    """Draw the name of each image's structure, by its class."""
    structure = np.empty(len(classes), dtype="<U13")
    for name, shares in STRUCTURES[task].items():
        where = np.flatnonzero(classes == name)
        shares_of_class = list(shares.values())
        structure[where] = rng.choice(list(shares), len(where), p=shares_of_class)
    return structure


def _draw_fillings(rng, task, classes, structure, filling):
    """Draw the interior's potential in V above the medium outside."""
    n = len(classes)
    if task == "lamellarity":
        return rng.normal(0.0, 0.05, n)
    # In units of what full liposomes typically hold.
    nothing = rng.normal(0.0, 0.13, n)
    full = np.exp(rng.normal(0.0, 0.35, n)).clip(0.13, 6.5)
    faint = rng.uniform(0.23, 0.6, n)
    content = np.where(classes == "empty", nothing, full)
    return filling * np.where(structure == "faint", faint, content)


def draw_scene(
    rng: np.random.Generator,
    task: str,
    classes: NDArray[Any],
    *,
    radius: float,
    radius_spread: float,
    max_ellipticity: float,
    thickness: float,
    filling: float,
    neighbours: float,
    contamination: float,
    margin: tuple[float, float],
    half_field: float | None,
) -> Scene:
    """Draw the geometry of one image for each entry of `classes` (names).

    Each image shows `half_field` nm on each side of its centre. If that is None it
    depends on the particle: its half-extent, and of its surroundings a share drawn
    from the range `margin`. The column "half_field" has the result.
    """
    n = len(classes)

    def draw_radius(size):
        spread = rng.normal(0.0, radius_spread, size).clip(-3, 3)
        return np.maximum(radius * np.exp(spread), 2.5 * thickness)

    draft = _SceneDraft(
        rng,
        n,
        draw_radius=draw_radius,
        max_ellipticity=max_ellipticity,
        thickness=thickness,
    )
    structure = _draw_structures(rng, task, classes)
    filling = _draw_fillings(rng, task, classes, structure, filling)

    def where(name):
        return np.flatnonzero(structure == name)

    faded = where("low_contrast")
    draft.strength[faded] *= rng.uniform(0.1, 0.35, len(faded))
    draft.add_outer(structure == "broken")

    concentric = where("concentric")
    wanted = rng.choice(
        list(_LAMELLAE), size=len(concentric), p=list(_LAMELLAE.values())
    )
    gap = np.exp(rng.normal(np.log(4.5), 0.5, len(concentric))).clip(2.5, 20)
    draft.add_lamellae(concentric, wanted, gap)
    draft.add_inner_vesicles(where("inner_vesicle"))

    thin = where("thin_gap")
    draft.add_lamellae(thin, np.full(len(thin), 2), rng.uniform(0.0, 1.5, len(thin)))
    # Half of those that one hardly sees have a second bilayer.
    doubtful = faded
    doubtful = doubtful[rng.random(len(doubtful)) < 0.5]
    draft.add_lamellae(
        doubtful, np.full(len(doubtful), 2), rng.uniform(2.0, 6.0, len(doubtful))
    )
    draft.add_overlap(where("overlap"))

    partial = where("partial")
    whole = np.flatnonzero(structure != "partial")
    draft.add_filling(whole, filling, np.ones(len(whole)), 0.0)
    draft.add_filling(
        partial,
        filling,
        rng.uniform(0.35, 0.7, len(partial)),
        rng.uniform(0.2, 0.9, len(partial)),
    )

    count = rng.poisson(neighbours, n).clip(max=_MOST_NEIGHBOURS)
    draft.add_neighbours(count, filling)

    face = bilayer_half_width(thickness)
    cos, sin = np.cos(draft.angle), np.sin(draft.angle)
    extent = np.maximum(
        np.hypot((draft.a + face) * cos, (draft.b + face) * sin),
        np.hypot((draft.a + face) * sin, (draft.b + face) * cos),
    )
    shown = extent * (1 + rng.uniform(*margin, n))
    half_field = shown if half_field is None else np.full(n, half_field)
    draft.add_contamination(rng.random(n) < contamination, half_field)

    columns = {
        "structure": structure,
        "radius": draft.radius,
        "semi_axis_a": draft.a,
        "semi_axis_b": draft.b,
        "angle": draft.angle,
        "n_bilayers": draft.n_bilayers,
        "filling": filling,
        "n_neighbours": count,
        "extent": extent,
        "half_field": half_field,
    }
    return Scene(draft.shells.finish(), draft.balls.finish(), columns)
