"""The page of a benchmark: labels judged by models that have not seen them."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from emclassify.review._doubtful_labels import mean_probabilities
from emclassify.review._write_review_page import write_review_page

if TYPE_CHECKING:
    from emclassify.model_selection import BenchmarkResult

__all__ = ["review_benchmark"]


def review_benchmark(
    result: "BenchmarkResult",
    model: str,
    *,
    path: str | PathLike[str],
    images: ArrayLike | None = None,
    **settings: Any,
) -> Path:
    """Write a page on which the labels of a benchmark are set right.

    Parameters
    ----------
    result : BenchmarkResult
        Each image must have been tested once at least; with several predictions of one,
        their mean counts.
    model : str
        Which model's out-of-fold probabilities order the labels by doubt.
    path : str or path-like
        File that ends in ``.html``, or folder, to write.
    images : sequence of n images, default=None
        What to show; what the benchmark was given by default.
    **settings
        As for :func:`write_review_page`: names, clusters, duplicates, order, pixel_size
        and others. Groups are those of the benchmark.

    Returns
    -------
    pathlib.Path
        The file to open.

    Raises
    ------
    ValueError
        If the model has no probabilities, images were never tested, or each has several
        labels.

    See Also
    --------
    doubtful_labels : Ranks labels by the same probabilities.

    Examples
    --------
    >>> import tempfile
    >>> from emclassify import benchmark_classifiers, make_liposomes, svm_baseline
    >>> from emclassify.review import review_benchmark
    >>> data = make_liposomes(60, weights=[0.4, 0.3, 0.3], random_state=0)
    >>> svm = svm_baseline(probability=True, families="thesis")
    >>> result = benchmark_classifiers(
    ...     {"SVM": svm}, data.images, data.target, groups=data.groups, cv=2
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     review_benchmark(result, "SVM", path=f"{folder}/review.html").name
    'review.html'
    """
    if result.multilabel:
        raise ValueError("The page takes one label an image; here are several.")
    proba = mean_probabilities(result, model)
    settings = {"classes": result.target_names, "groups": result.groups} | settings
    images = result.X if images is None else images
    return write_review_page(images, proba, result.y, path=path, **settings)
