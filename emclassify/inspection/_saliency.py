"""Which pixels a class score depends on."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from emclassify.classifiers._base import BaseImageClassifier
from emclassify.inspection._grid import check_axes, draw_image
from emclassify.inspection._network import (
    evaluating,
    find_classifier,
    find_images,
    gradient,
    input_batches,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = ["SaliencyDisplay", "saliency"]

# More columns than this can't be read in one figure.
_MOST_IMAGES = 16


@validate_params(
    {
        "n_noisy": [Interval(Integral, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def saliency(
    estimator: BaseEstimator,
    X: ArrayLike,
    target: ArrayLike | None = None,
    *,
    n_noisy: int = 0,
    noise: float = 0.15,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Return how strongly a class score depends on each pixel.

    The absolute value of the gradient of the score (the logit) with respect to the
    image, and of the channels the largest [1]_; with noise, of the mean gradient over
    noisy copies of the image, which is smoother [2]_. It says where a small change
    would matter, not what a region contributed. The score is that of the image as it
    is, also where `predict` looks at it eight ways (`test_time_augmentation`).

    Parameters
    ----------
    estimator : network classifier or Pipeline that ends in one
        Fitted. The earlier steps of a pipeline transform X first; the pixels are
        those that the classifier gets to see.
    X : array-like
        Images, as for ``estimator.predict``, of one size.
    target : label or array-like of shape (n,), default=None
        Class whose score is asked about, one for all or one for each image; the
        predicted class by default.
    n_noisy : int, default=0
        Noisy copies of each image. 0 is the gradient at the image itself.
    noise : float, default=0.15
        Standard deviation of the noise, as a share of each image's range of values.
    random_state : int, RandomState instance or None, default=None
        The noise.

    Returns
    -------
    ndarray of float32 of shape (n, height, width)
        Not negative; logit per unit of pixel value.

    Raises
    ------
    TypeError
        If `estimator` has no network of ours.
    ValueError
        If X or a parameter is no good, or `target` is no known class.

    References
    ----------
    .. [1] K. Simonyan, A. Vedaldi and A. Zisserman, Deep inside convolutional
       networks, ICLR workshop, 2014, arXiv:1312.6034.
    .. [2] D. Smilkov, N. Thorat, B. Kim, F. Viégas and M. Wattenberg, SmoothGrad:
       removing noise by adding noise, 2017, arXiv:1706.03825.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import saliency
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> saliency(clf, X[:5]).shape
    (5, 8, 8)
    """
    classifier = find_classifier(estimator)
    images = find_images(estimator, X)
    target = _encode_target(classifier, images, target)
    return _saliency(classifier, images, target, n_noisy, noise, random_state)


def _encode_target(
    classifier: BaseImageClassifier, images: np.ndarray, target: ArrayLike | None
) -> np.ndarray:
    """Return the class index of each image."""
    if target is None:
        return _most_probable(classifier, images)
    target = np.asarray(target)
    if target.shape not in ((), (len(images),)):
        raise ValueError(
            f"target must be one label, or one for each of the {len(images)} images; "
            f"got shape {target.shape}."
        )
    target = np.broadcast_to(target, len(images))
    known = classifier.classes_.tolist()
    unknown = [label for label in target.tolist() if label not in known]
    if unknown:
        raise ValueError(
            f"target={unknown[0]!r} is not among the classes of "
            f"{type(classifier).__name__}: {known}."
        )
    return np.array([known.index(label) for label in target.tolist()])


def _most_probable(classifier: BaseImageClassifier, images: np.ndarray) -> np.ndarray:
    """Return the index of the class with the highest score for each image."""
    with evaluating(classifier, symmetries=True) as module, torch.no_grad():
        scores = [module(**inputs) for inputs in input_batches(classifier, images)]
    return torch.cat(scores).argmax(dim=1).cpu().numpy()


def _saliency(
    classifier: BaseImageClassifier,
    images: np.ndarray,
    target: np.ndarray,
    n_noisy: int,
    noise: float,
    random_state: int | np.random.RandomState | None,
) -> np.ndarray:
    """Return the saliency of images (n, h, w, c) for class indices."""
    if n_noisy:
        # check_random_state(None) would draw from NumPy's global state.
        rng = check_random_state(
            np.random.RandomState() if random_state is None else random_state
        )
    found = []
    done = 0
    with evaluating(classifier) as module, torch.enable_grad():
        for inputs in input_batches(classifier, images):
            batch = inputs.pop("images").float()
            chosen = torch.as_tensor(target[done : done + len(batch)])[:, None]
            done += len(batch)
            spread = noise * (batch.amax((1, 2, 3)) - batch.amin((1, 2, 3)))
            total = torch.zeros_like(batch)
            for _ in range(max(n_noisy, 1)):
                seen = batch.clone()
                if n_noisy:
                    draws = rng.normal(size=batch.shape).astype(np.float32)
                    draws = torch.from_numpy(draws).to(batch.device)
                    seen += spread[:, None, None, None] * draws
                seen.requires_grad_()
                logits = module(images=seen, **inputs)
                scores = logits.gather(1, chosen.to(logits.device))
                total += gradient(scores, seen)
            strength = (total / max(n_noisy, 1)).abs().amax(dim=3)
            found.append(strength.cpu().numpy())
    return np.concatenate(found)


class SaliencyDisplay:
    """Images, and below them which pixels a class score depends on.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        As the network gets them.
    saliency : ndarray of shape (n, height, width)
        As `saliency` returns it.
    targets : sequence of shape (n,)
        Class whose score it is of, for each image.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (2, n)
        The images', then their saliency's.

    See Also
    --------
    saliency : The numbers, for many images.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import SaliencyDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> y = ["full", "empty"] * 10
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    >>> display = SaliencyDisplay.from_estimator(clf, X[:3], target="empty")
    >>> display.axes_.shape
    (2, 3)
    """

    def __init__(
        self, images: np.ndarray, saliency: np.ndarray, *, targets: Sequence
    ) -> None:
        self.images = images
        self.saliency = saliency
        self.targets = targets

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        target: ArrayLike | None = None,
        *,
        n_noisy: int = 0,
        noise: float = 0.15,
        random_state: int | np.random.RandomState | None = None,
        axes: "Sequence[Axes] | None" = None,
    ) -> Self:
        """Compute and draw the saliency of a few images.

        Parameters
        ----------
        estimator : network classifier or Pipeline that ends in one
            Fitted.
        X : array-like
            Images, as for ``estimator.predict``, of one size; at most 16.
        target : label or array-like of shape (n,), default=None
            Class whose score is asked about; the predicted class by default.
        n_noisy, noise, random_state
            As in `saliency`.
        axes : sequence of matplotlib Axes, default=None
            2 n of them, the images' first; a new figure by default.

        Returns
        -------
        SaliencyDisplay

        Raises
        ------
        ValueError
            If there are more than 16 images.
        """
        classifier = find_classifier(estimator)
        images = find_images(estimator, X)
        if len(images) > _MOST_IMAGES:
            raise ValueError(
                f"X holds {len(images)} images, and a figure has room for "
                f"{_MOST_IMAGES}: choose some, or use emclassify.inspection.saliency."
            )
        index = _encode_target(classifier, images, target)
        strength = saliency(
            classifier,
            images,
            classifier.classes_[index],
            n_noisy=n_noisy,
            noise=noise,
            random_state=random_state,
        )
        return cls(images, strength, targets=classifier.classes_[index]).plot(axes)

    def plot(
        self,
        axes: "Sequence[Axes] | None" = None,
        *,
        cmap: "str | Colormap" = "inferno",
    ) -> Self:
        """Draw; each image has a colour scale of its own, from zero.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            2 n of them, the images' first; a new figure by default.
        cmap : str or Colormap, default="inferno"
            Shades of the saliency.

        Returns
        -------
        SaliencyDisplay
        """
        n = len(self.images)
        if axes is None:
            import matplotlib.pyplot as plt

            height, width = self.images.shape[1:3]
            side = max(0.9, min(2.2, 12 / n))
            size = (n * side + 0.4, 2 * side * min(max(height / width, 0.3), 3) + 0.5)
            _, axes = plt.subplots(2, n, figsize=size, layout="constrained")
        axes = check_axes(axes, 2 * n, f"{n} images and their saliency")
        self.axes_ = axes.reshape(2, n)
        for k, (above, below) in enumerate(self.axes_.T):
            draw_image(above, self.images[k])
            above.set_title(str(self.targets[k]), size="medium")
            high = float(self.saliency[k].max()) or 1.0
            below.imshow(
                self.saliency[k], cmap=cmap, vmin=0, vmax=high, interpolation="nearest"
            )
            below.set_xticks([])
            below.set_yticks([])
        self.axes_[0, 0].set_ylabel("image")
        self.axes_[1, 0].set_ylabel("saliency")
        self.figure_ = self.axes_[0, 0].figure.figure
        return self
