"""Spectra of the summed ions of each class: what is on the sample, what is off it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length

from emclassify._typing import ImagesLike
from emclassify.display._class_members import in_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SumSpectraDisplay"]

_COLOURS = ("tab:blue", "tab:orange")


class SumSpectraDisplay:
    """Two spectra, one upwards and one downwards, such as of on- and off-sample ions.

    Lines are shares of the strongest one of both, so that what one lacks shows.

    Parameters
    ----------
    mz : array-like of shape (n_ions,)
        Where each line stands: m/z of the ions, or their numbers.
    spectra : dict of str to array-like of shape (n_ions,)
        Two intensities by name; the first goes upwards. 0: no line.
    axis : str, default="m/z"
        What `mz` is.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    shares_ : dict of str to float
        Share of the total intensity that each spectrum has.

    See Also
    --------
    emclassify.readers.load_imzml : Images of real ions with their m/z.

    Examples
    --------
    >>> from emclassify.display import SumSpectraDisplay
    >>> display = SumSpectraDisplay(
    ...     [301.1, 425.2, 550.6], {"on": [2.0, 0.0, 4.0], "off": [0.0, 2.0, 0.0]}
    ... ).plot()
    >>> {name: round(share, 2) for name, share in display.shares_.items()}
    {'on': 0.75, 'off': 0.25}
    """

    def __init__(
        self,
        mz: ArrayLike,
        spectra: Mapping[str, ArrayLike],
        *,
        axis: str = "m/z",
    ) -> None:
        self.mz = mz
        self.spectra = spectra
        self.axis = axis

    @classmethod
    def from_ions(
        cls,
        images: ImagesLike,
        y: ArrayLike,
        *,
        mz: ArrayLike | None = None,
        labels: Sequence[Any] = ("on", "off"),
        ax: Axes | None = None,
    ) -> Self:
        """Draw the sum of each ion's image, its line in the spectrum of its class.

        Parameters
        ----------
        images : array-like of shape (n_ions, height, width), or list of 2-D arrays
            Intensities as they were measured, not each scaled by itself; NaN where
            nothing was recorded.
        y : array-like of shape (n_ions,)
            Class of each ion, true or predicted; others than `labels` are left out.
        mz : array-like of shape (n_ions,), default=None
            Of each ion; by default ions are numbered.
        labels : (up, down), default=("on", "off")
            The two classes.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        SumSpectraDisplay

        Raises
        ------
        ValueError
            If there are not as many images as classes, or none of a class.
        """
        y = np.asarray(y)
        check_consistent_length(images, y)
        total = np.array([np.nansum(np.asarray(image, float)) for image in images])
        for label in labels:
            if not (y == label).any():
                raise ValueError(
                    f"y holds no ion of the class {label!r}; it holds "
                    f"{', '.join(map(repr, np.unique(y).tolist()))}."
                )
        spectra = {str(label): np.where(y == label, total, 0.0) for label in labels}
        return cls._numbered(mz, spectra).plot(ax)

    @classmethod
    def from_pixels(
        cls,
        spectra: ArrayLike,
        on_sample: ArrayLike,
        *,
        mz: ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the mean spectrum of the pixels on the sample, and of those off it.

        Parameters
        ----------
        spectra : array-like of shape (n_pixels, n_ions)
            Of each pixel, row by row, such as ``make_ion_images().cubes`` holds.
        on_sample : array-like of bool of shape (n_pixels,) or (height, width)
            Where the sample is.
        mz : array-like of shape (n_ions,), default=None
            Of each ion; by default ions are numbered.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        SumSpectraDisplay

        Raises
        ------
        ValueError
            If `on_sample` has another number of pixels, or has all on one side.
        """
        spectra = np.asarray(spectra, dtype=np.float64)
        on_sample = np.asarray(on_sample, dtype=bool).ravel()
        if spectra.ndim != 2 or len(spectra) != len(on_sample):
            raise ValueError(
                "spectra must be of shape (n_pixels, n_ions) with a row for each of "
                f"the {len(on_sample)} pixels of on_sample; got shape {spectra.shape}."
            )
        if on_sample.all() or not on_sample.any():
            side = "on" if on_sample.all() else "off"
            raise ValueError(f"on_sample has all {len(on_sample)} pixels {side} it.")
        means = {
            "pixels on the sample": np.nanmean(spectra[on_sample], axis=0),
            "pixels off it": np.nanmean(spectra[~on_sample], axis=0),
        }
        return cls._numbered(mz, means).plot(ax)

    @classmethod
    def _numbered(cls, mz, spectra):
        """Return a display by m/z, or by the number of each ion."""
        if mz is not None:
            return cls(mz, spectra)
        n = len(next(iter(spectra.values())))
        return cls(np.arange(n), spectra, axis="number of the ion")

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        SumSpectraDisplay

        Raises
        ------
        ValueError
            If there are not two spectra of as many lines as `mz`, none negative.
        """
        mz, spectra = self._checked()
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
        highest = max(lines.max() for lines in spectra.values()) or 1.0
        total = sum(lines.sum() for lines in spectra.values()) or 1.0
        self.shares_ = {
            name: float(lines.sum() / total) for name, lines in spectra.items()
        }
        for sign, colour, (name, lines) in zip(
            (1, -1), _COLOURS, spectra.items(), strict=True
        ):
            drawn = lines > 0
            share = f"{100 * self.shares_[name]:.0f} % of the intensity"
            label = in_legend(f"{name} ({share})")
            ax.vlines(
                mz[drawn], 0, sign * lines[drawn] / highest, color=colour, label=label
            )
        ax.axhline(0, color="k", linewidth=0.8)
        ax.set_ylim(-1.05, 1.05)
        ticks = np.linspace(-1, 1, 5)
        ax.set_yticks(ticks, [f"{abs(tick):g}" for tick in ticks])
        ax.set_xlabel(self.axis)
        ax.set_ylabel("intensity, of the strongest")
        ax.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
        self.ax_ = ax
        self.figure_ = ax.figure.figure
        return self

    def _checked(self) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Return m/z and both spectra, or raise."""
        mz = np.asarray(self.mz, dtype=np.float64)
        spectra = {
            name: np.asarray(lines, dtype=np.float64)
            for name, lines in self.spectra.items()
        }
        if len(spectra) != 2:
            raise ValueError(f"spectra must be two; got {len(spectra)}.")
        for name, lines in spectra.items():
            if lines.shape != mz.shape or mz.ndim != 1:
                raise ValueError(
                    f"spectra[{name!r}] has shape {lines.shape} for mz of shape "
                    f"{mz.shape}; both must be (n_ions,)."
                )
            if not np.isfinite(lines).all() or (lines < 0).any():
                raise ValueError(
                    f"spectra[{name!r}] must hold finite intensities of at least 0."
                )
        return mz, spectra
