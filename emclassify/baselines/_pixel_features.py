"""What a pixel's spectrum is, in numbers that every dataset of ion images has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emclassify.baselines._ion_datasets import rim_of

# Of a pixel's intensities over all ions of its dataset.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
N_COMPONENTS = 3
# Side in px of the square over which spectra are averaged.
NEIGHBOURHOOD = 5


def pixel_features(images: NDArray[Any]) -> NDArray[Any]:
    """Describe each pixel by its spectrum, whatever the ions are.

    Parameters
    ----------
    images : ndarray of shape (n_ions, height, width)
        Ion images of one dataset, scaled to 0 to 1.

    Returns
    -------
    ndarray of shape (height * width, 10)
        Each column of mean 0 and variance 1, or 0 where it is constant.
    """
    spectra = ndimage.uniform_filter(images, (0, NEIGHBOURHOOD, NEIGHBOURHOOD))
    spectra = spectra.reshape(len(images), -1)
    features = np.column_stack(
        [
            spectra.mean(axis=0),
            spectra.std(axis=0),
            *np.quantile(spectra, QUANTILES, axis=0),
            _principal_components(spectra, rim_of(images.shape[1:])),
        ]
    )
    return _standardized(features, axis=0)


def _principal_components(spectra, rim):
    """Return scores (n_pixels, N_COMPONENTS) of the pixels, positive on the rim."""
    ions = _standardized(spectra, axis=1)
    # Of ions by ions: there are fewer of them than pixels.
    _, directions = np.linalg.eigh(ions @ ions.T)
    scores = ions.T @ directions[:, ::-1][:, :N_COMPONENTS]
    scores *= np.where(scores[rim].mean(axis=0) < 0, -1, 1)
    missing = N_COMPONENTS - scores.shape[1]
    return np.pad(scores, ((0, 0), (0, missing)))


def _standardized(values, axis):
    """Return values of mean 0 and variance 1 along an axis, 0 where constant."""
    values = values - values.mean(axis=axis, keepdims=True)
    spread = values.std(axis=axis, keepdims=True)
    # Rounding alone is no spread.
    return values / np.where(spread > 1e-9, spread, np.inf)
