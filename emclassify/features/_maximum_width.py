"""Maximum width of a particle."""

from collections.abc import Sequence
from typing import Literal

from emclassify.features import _outline
from emclassify.features._base import FeatureFamily


class MaximumWidth(FeatureFamily):
    """Greatest extent of the particle across its length.

    The length joins the two outline points that lie furthest apart (see `Length`);
    the maximum width is the extent of the outline along the normal of that line, in
    px. Where several pairs lie equally far apart, it is the largest of their
    extents, so that quarter turns and mirroring change nothing. A pixel has
    width 1, an empty mask 0. The thesis [1]_ lists a maximum width among its
    features but gives no formula: this definition is ours.

    Parameters
    ----------
    mask : {"auto", "last", "otsu", "full"}, default="auto"
        Where the particle is. "last": the last channel, where it isn't 0. "otsu": the
        largest 4-connected part on the particle's side of Otsu's threshold of the
        first channel, of equals the first. "full": the whole image. "auto": "last" for
        images of exactly two channels, else "full".
    particle : {"auto", "dark", "bright"}, default="auto"
        The particle's side of Otsu's threshold. "auto": the side that holds at most
        half of the image's border.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of the image in a flat row.
    n_jobs : int, default=None
        Number of threads that share the images; None is 1, -1 is all cores.

    Attributes
    ----------
    image_shape_ : tuple of int
        (height, width, channels) of the images seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]``.
    n_features_out_ : int
        Number of features.

    References
    ----------
    .. [1] S. Gryshkevych (2016). Thesis on classifying liposomes in electron
       micrographs. Uppsala University, with Vironova AB.

    See Also
    --------
    Length : The largest distance of two outline points.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import MaximumWidth
    >>> image_and_mask = np.zeros((1, 20, 20, 2))
    >>> image_and_mask[0, 5, 5:9, 1] = 1
    >>> MaximumWidth().fit_transform(image_and_mask)
    array([[1.]])
    """

    _per_channel = False

    def __init__(
        self,
        *,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles):
        return _outline.maximum_width(particles.masks)[:, None]

    def _feature_names(self):
        return ["maximum_width"]
