"""The page of a folder, by a model or by a table of probabilities."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from emclassify._fit_params import add_groups, fit_with
from emclassify._spelling import composed
from emclassify._text_table import read_text_table
from emclassify.review._doubtful_labels import mean_scores
from emclassify.review._folder_images import FolderImages
from emclassify.review._temperature import (
    decision_values,
    fit_temperature,
    softened,
)
from emclassify.review._write_review_page import write_review_page

if TYPE_CHECKING:
    from emclassify.model_selection import BenchmarkResult

__all__ = [
    "Judgement",
    "judge",
    "read_probabilities",
    "review_folder",
    "unseen_probabilities",
]

_PREFIX = "probability_"


def review_folder(
    folder: FolderImages,
    proba: np.ndarray,
    classes: list[str],
    path: str | os.PathLike[str],
    **settings: Any,
) -> Path:
    """Write the page of a folder.

    Parameters
    ----------
    folder : FolderImages
    proba : ndarray of shape (n_files, n_classes)
    classes : list of str
        Names of the columns of `proba`.
    path : str or path-like
    **settings
        As for :func:`write_review_page`.

    Returns
    -------
    Path
    """
    return write_review_page(
        folder.shown(),
        proba,
        folder.labels,
        path=path,
        classes=classes,
        names=folder.files,
        groups=folder.groups,
        **settings,
    )


@dataclass
class Judgement:
    """What a model says of the images of a folder, of none whose label it has seen.

    Attributes
    ----------
    proba : ndarray of shape (n_files, n_classes)
    classes : list of str
        Of the columns of `proba`.
    model : classifier
        Fitted to all images with a label.
    result : BenchmarkResult
        Of the model "model", out of fold.
    """

    proba: np.ndarray
    classes: list[str]
    model: BaseEstimator
    result: "BenchmarkResult"


def judge(
    model: BaseEstimator,
    folder: FolderImages,
    *,
    n_folds: int = 5,
    random_state: int = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
    refit: bool = True,
) -> Judgement:
    """Let clones of a model judge images whose labels they have not seen.

    Images with labels are judged out of fold; the others by a clone that has seen all
    that have one. Decision values become probabilities by one temperature, fitted to
    those out of fold; a model that has learnt one of its own does without it.

    Parameters
    ----------
    model : classifier
    folder : FolderImages
    n_folds : int, default=5
        Of folds that keep groups together; fewer where a class has fewer images.
    random_state : int, default=0
        Of the folds.
    n_jobs : int, default=None
        Folds at a time.
    verbose : int, default=0
        1 shows progress.
    refit : bool, default=True
        Whether to fit to all that have a label where all have one.

    Returns
    -------
    Judgement

    Raises
    ------
    ValueError
        If all labels are of one class or group, or a class has one image.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    from emclassify.model_selection import benchmark_classifiers

    labels = folder.labels[folder.readable]
    known = np.array([label is not None for label in labels], dtype=bool)
    y = labels[known].astype(str)
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise ValueError(
            f"All labels are {str(classes[0])!r}: there is nothing to tell."
        )
    n_folds = min(n_folds, counts.min())
    if n_folds < 2:
        raise ValueError(
            f"Class {classes.tolist()[counts.argmin()]!r} has one image; no fold can "
            "both learn and test it. Give it another one, or leave it out."
        )
    model = _uncalibrated(clone(model))
    groups = None
    if folder.groups is not None:
        groups = folder.groups[folder.readable][known]
        n_groups = len(set(groups))
        if n_groups < 2:
            raise ValueError(
                "All images that have a label are of one group, "
                f"{str(groups[0])!r}: no fold can both learn and test them. Groups are "
                "kept in one piece."
            )
        n_folds = min(n_folds, n_groups)
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    X = folder.images[known]
    result = benchmark_classifiers(
        {"model": model},
        X,
        y,
        groups=groups,
        cv=splitter(n_folds, shuffle=True, random_state=random_state),
        random_state=random_state,
        n_jobs=n_jobs,
        verbose=verbose,
        audit=False,
    )
    proba = np.empty((len(labels), len(classes)))
    values, kind = mean_scores(result, "model")
    if kind is None:
        raise ValueError("The model has neither probabilities nor decision values.")
    temperature = None
    if kind == "decision":
        temperature = fit_temperature(values, np.unique(y, return_inverse=True)[1])
        values = softened(values, temperature)
    proba[known] = values
    if refit or not known.all():
        model = fit_with(model, X, y, add_groups({}, model, groups))
    if not known.all():
        others = folder.images[~known]
        if temperature is None:
            proba[~known] = model.predict_proba(others)
        else:
            proba[~known] = softened(decision_values(model, others), temperature)
    return Judgement(folder.spread(proba), classes.tolist(), model, result)


def _uncalibrated(model: BaseEstimator) -> BaseEstimator:
    """Take a temperature off: its folds are of other data than the model now learns."""
    last = model[-1] if isinstance(model, Pipeline) else model
    if not isinstance(last, CalibratedClassifierCV) or last.method != "temperature":
        return model
    if last.estimator is None or not hasattr(last.estimator, "decision_function"):
        return model
    if not isinstance(model, Pipeline):
        return last.estimator
    return model.set_params(**{model.steps[-1][0]: last.estimator})


def unseen_probabilities(
    model: BaseEstimator, folder: FolderImages, **settings: Any
) -> tuple[np.ndarray, list[str]]:
    """Return probabilities by models that have not seen the image's label.

    Parameters
    ----------
    model : fitted classifier
        It judges itself where there are no labels.
    folder : FolderImages
    **settings
        As for :func:`judge`.

    Returns
    -------
    proba : ndarray of shape (n_files, n_classes)
    classes : list of str

    Raises
    ------
    ValueError
        If no labels are given and the model has no probabilities, or all labels are
        of one class.
    """
    if all(label is None for label in folder.labels[folder.readable]):
        if not hasattr(model, "predict_proba"):
            raise ValueError(
                "The model has no probabilities to order images by, and there are no "
                "labels to make some with. Train one that has them, such as "
                "emclassify train --model lipnet4, or give labels."
            )
        proba = model.predict_proba(folder.images)
        return folder.spread(np.asarray(proba)), [str(c) for c in model.classes_]
    judgement = judge(model, folder, refit=False, **settings)
    return judgement.proba, judgement.classes


def read_probabilities(
    path: str | os.PathLike[str], files: list[str]
) -> tuple[np.ndarray, list[str]]:
    """Return the probabilities that a table has for files.

    Parameters
    ----------
    path : str or path-like
        A CSV table with a column "file" or "name" and columns "probability_<class>", as
        ``emclassify predict``, ``predict_table`` and ``doubtful_labels`` make them.
    files : list of str
        Files without a row are as likely of one class as of any other.

    Returns
    -------
    proba : ndarray of shape (n_files, n_classes)
    classes : list of str

    Raises
    ------
    ValueError
        If the table lacks columns, holds something else than probabilities, or has no
        row, or several, for a file.
    """
    text = read_text_table(path)
    names = [name for name in ("file", "name") if name in text.columns]
    columns = [name for name in text.columns if name.startswith(_PREFIX)]
    if not names or len(columns) < 2:
        raise ValueError(
            f"{path} must have a column file and two or more columns {_PREFIX}<class>; "
            f"it has {', '.join(map(repr, text.columns))}."
        )
    rows = text[names[0]].map(composed)
    if rows.duplicated().any():
        raise ValueError(
            f"{path} has more than one row for {rows[rows.duplicated()].iloc[0]!r}; "
            "the page takes files of one image each."
        )
    values = text[columns].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    wrong = ~((values >= 0) & (values <= 1)).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"{path} holds no probabilities from 0 to 1 for "
            f"{rows[wrong].iloc[0]!r} (row {int(np.flatnonzero(wrong)[0]) + 1})."
        )
    place = pd.Series(np.arange(len(rows)), index=rows)
    place = place.reindex([composed(file) for file in files])
    if place.isna().all():
        raise ValueError(
            f"{path} has no row for any image of the folder, such as {files[0]}; it "
            f"names {rows.iloc[0] if len(rows) else 'none'}."
        )
    proba = np.full((len(files), len(columns)), 1 / len(columns))
    found = place.notna().to_numpy()
    proba[found] = values[place[found].astype(int)]
    return proba, [name.removeprefix(_PREFIX) for name in columns]
