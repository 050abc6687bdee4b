"""Images side by side, in the order of what a model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from os import PathLike
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from emclassify._thumbnails import to_8_bit, visible_channels
from emclassify._typing import Estimator, ImagesLike
from emclassify.display._class_members import in_legend
from emclassify.display._scale_bar import PixelWidths, draw_scale_bar
from emclassify.display._thumbnails import image_at

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.colors import Colormap

__all__ = ["ContactSheetDisplay"]

_PREFIX = "probability_"
# Okabe and Ito, without the grey, which means "abstained".
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# Frames: once all colours are taken, other dashes.
_FRAMES = [(colour, dashes) for dashes in ("-", "--", "-.") for colour in _COLOURS]
_ABSTAINED = ("0.55", ":")
_LONGEST_NAME = 17
_TILE = 1.05  # inches
_LEAST_COLUMNS = 4  # for the heading


class ContactSheetDisplay:
    """Images sorted by the probability of a class, page by page.

    Each has its probability and name above, and a frame in the colour of its label
    (and its dashes, from the seventh class on); grey where the model abstained. Grey
    values are scaled for each image by itself.

    Parameters
    ----------
    table : DataFrame
        What :func:`~emclassify.prediction.predict_table` returns, one row for each
        image.
    images : sequence of n images
        Arrays (height, width) or (height, width, channels) of any sizes, or paths; only
        those of the page drawn are read.
    pos_label : str, default=None
        Class whose probability sorts, the highest first. Of two classes the second by
        default.
    n_columns : int, default=8
    n_rows : int, default=6
        Of a page.
    pixel_size : float, or array-like of shape (n,) or (n, 2), default=None
        In nm, such as the `pixel_size` that `load_image_folder` has read; pairs are
        (row, column). Images get a scale bar where it is known (not NaN). Default: as
        the files state it, where images are paths.

    Attributes
    ----------
    order_ : ndarray of shape (n,)
        Rows of the table, in the order of the sheet.
    n_pages : int
    figure_ : matplotlib Figure
        Of the page drawn last.
    axes_ : ndarray of matplotlib Axes
        Its images.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import svm_baseline
    >>> from emclassify.display import ContactSheetDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 8, 8)) + np.tile([0, 4], 20)[:, None, None]
    >>> y = np.tile(["off", "on"], 20)
    >>> model = svm_baseline(probability=True).fit(X[:30], y[:30])
    >>> sheet = ContactSheetDisplay.from_estimator(model, X[30:], n_columns=4, n_rows=2)
    >>> sheet.n_pages
    2
    >>> print(sheet.figure_.get_suptitle())
    Probability of on, highest first
    1–8 of 10 images, page 1 of 2
    """

    def __init__(
        self,
        table: pd.DataFrame,
        images: ImagesLike,
        *,
        pos_label: str | None = None,
        n_columns: int = 8,
        n_rows: int = 6,
        pixel_size: float | ArrayLike | None = None,
    ) -> None:
        self.table = table
        self.images = images
        self.pos_label = pos_label
        self.n_columns = n_columns
        self.n_rows = n_rows
        self.pixel_size = pixel_size

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        images: ImagesLike,
        *,
        names: Sequence[str] | None = None,
        abstain_below: None = None,
        pos_label: str | None = None,
        n_columns: int = 8,
        n_rows: int = 6,
        pixel_size: float | ArrayLike | None = None,
        page: int = 1,
    ) -> Self:
        """Predict images and draw a page of them.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba``.
        images : array-like of n images
            What it takes.
        names, abstain_below
            As for :func:`~emclassify.prediction.predict_table`.
        pos_label, n_columns, n_rows, pixel_size
            As for this class.
        page : int, default=1
            The page to draw.

        Returns
        -------
        ContactSheetDisplay
        """
        from emclassify.prediction import predict_table

        table = predict_table(
            estimator, images, names=names, abstain_below=abstain_below
        )
        return cls(
            table,
            images,
            pos_label=pos_label,
            n_columns=n_columns,
            n_rows=n_rows,
            pixel_size=pixel_size,
        ).plot(page)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, as the table has them."""
        return [
            column.removeprefix(_PREFIX)
            for column in self.table.columns
            if column.startswith(_PREFIX)
        ]

    @property
    def n_pages(self) -> int:
        """Number of pages."""
        return -(-len(self.table) // (self.n_columns * self.n_rows))

    def plot(self, page: int = 1, *, cmap: str | Colormap = "gray") -> Self:
        """Draw a page, in a new figure.

        Parameters
        ----------
        page : int, default=1
            Counted from 1.
        cmap : str or Colormap, default="gray"
            For images of one channel.

        Returns
        -------
        ContactSheetDisplay
        """
        import matplotlib.pyplot as plt

        pos_label = self._check()
        if not 1 <= page <= self.n_pages:
            raise ValueError(f"page={page}: the pages are 1 to {self.n_pages}.")
        probability = self.table[_PREFIX + pos_label].to_numpy()
        self.order_ = np.argsort(-probability, kind="stable")
        size = self.n_columns * self.n_rows
        shown = self.order_[(page - 1) * size : page * size]
        rows = -(-len(shown) // self.n_columns)

        frames = dict(zip(self.classes, cycle(_FRAMES), strict=False))
        wide = max(self.n_columns, _LEAST_COLUMNS)
        width, height = wide * _TILE, rows * (_TILE + 0.3) + 0.9
        self.figure_ = plt.figure(figsize=(width, height), layout="none")
        legend, more = self._add_legend(frames)
        height += more
        self.figure_.set_size_inches(width, height)
        legend.set_bbox_to_anchor((0.01, 1 - 0.5 / height))
        axes = self.figure_.subplots(
            rows,
            self.n_columns,
            squeeze=False,
            gridspec_kw={
                "left": 0.02,
                "right": 0.02 + 0.96 * self.n_columns / wide,
                "bottom": 0.08 / height,
                "top": 1 - (1.1 + more) / height,
                "hspace": 0.36,
                "wspace": 0.12,
            },
        ).ravel()
        for spare in axes[len(shown) :]:
            spare.remove()
        self.axes_ = axes[: len(shown)]
        widths = PixelWidths(self.pixel_size, self.images, len(self.table))
        for ax, row in zip(self.axes_, shown, strict=True):
            self._draw(ax, row, probability[row], frames, cmap, widths[row])
        first = (page - 1) * size + 1
        self.figure_.suptitle(
            f"Probability of {pos_label}, highest first\n"
            f"{first}–{first + len(shown) - 1} of {len(self.table)} images, "
            f"page {page} of {self.n_pages}",
            x=0.02,
            y=1 - 0.1 / height,
            ha="left",
            size=9,
        )
        return self

    def to_pdf(
        self, path: str | PathLike[str], *, cmap: str | Colormap = "gray"
    ) -> None:
        """Write all pages to a PDF file.

        Parameters
        ----------
        path : str or path-like
        cmap : str or Colormap, default="gray"
            For images of one channel.
        """
        import matplotlib.pyplot as plt
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(path) as pdf:
            for page in range(1, self.n_pages + 1):
                self.plot(page, cmap=cmap)
                pdf.savefig(self.figure_)
                plt.close(self.figure_)

    def _check(self):
        """Return the class that sorts, or raise."""
        if len(self.images) != len(self.table):
            raise ValueError(
                f"images holds {len(self.images)} entries for {len(self.table)} rows "
                "of the table."
            )
        if self.pos_label is None and len(self.classes) == 2:
            return self.classes[1]
        if str(self.pos_label) not in self.classes:
            raise ValueError(
                f"pos_label={self.pos_label!r} must be one of the classes: "
                f"{', '.join(self.classes)}."
            )
        return str(self.pos_label)

    def _draw(self, ax, row, probability, frames, cmap, pixel_width):
        """Draw the image of one row of the table."""
        entry = self.table.iloc[row]
        image = image_at(self.images, row)
        if image is None:
            raise ValueError(
                f"images[{row}] is no image (height, width) or (height, width, "
                "channels). Give the images that the flat rows were made from."
            )
        ax.imshow(to_8_bit(visible_channels(image)), cmap=cmap, vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[], anchor="N")
        if pixel_width is not None:
            draw_scale_bar(ax, image.shape, pixel_width)
        name = str(entry["name"])
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 1]}…"
        # Names of files may hold what would be a formula.
        ax.set_title(f"{probability:.2f}\n{name}", size=6.5, pad=3, parse_math=False)
        frame = _ABSTAINED if entry["abstained"] else frames[str(entry["label"])]
        colour, dashes = frame
        ax.spines[:].set(color=colour, linewidth=2.5, linestyle=dashes)

    def _add_legend(self, frames):
        """Say which frame is which label, with the count in the whole table.

        Returns the legend, in as many columns as fit, and the inches that it is higher
        than one row.
        """
        from matplotlib.lines import Line2D

        abstained = self.table["abstained"].to_numpy(dtype=bool)
        labels = self.table["label"].astype(str).to_numpy()
        entries = [
            (in_legend(f"{name} ({np.sum((labels == name) & ~abstained)})"), frame)
            for name, frame in frames.items()
        ]
        if abstained.any():
            entries.append((f"abstained ({abstained.sum()})", _ABSTAINED))
        handles = [
            Line2D([], [], color=colour, ls=dashes, lw=2.5, label=text)
            for text, (colour, dashes) in entries
        ]
        draw = partial(
            self.figure_.legend,
            handles=handles,
            loc="upper left",
            frameon=False,
            fontsize="small",
            handlelength=3.5,
            columnspacing=1.2,
            borderaxespad=0,
        )
        n_columns = len(handles)
        legend = draw(ncols=n_columns)
        one_row = legend.get_window_extent().height
        widest = 0.98 * self.figure_.bbox.width
        while n_columns > 1 and legend.get_window_extent().width > widest:
            legend.remove()
            n_columns -= 1
            legend = draw(ncols=n_columns)
        more = legend.get_window_extent().height - one_row
        return legend, more / self.figure_.dpi
