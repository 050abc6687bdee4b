"""SeedEnsembleClassifier: the average of trainings that differ in their seed."""

from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
)
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples, check_is_fitted
from tqdm.auto import tqdm

from emclassify._delegation import DelegatedInputMixin
from emclassify._fit_params import (
    add_groups,
    fit_parameter,
    fit_with,
    warn_lost_groups,
    why_not_taken,
)
from emclassify._fit_state import fit_context
from emclassify._fitted_parts import fitted_networks
from emclassify._groups import check_groups
from emclassify._incoming import plain_labels
from emclassify._quiet_convergence import quiet_convergence, say_not_converged
from emclassify.classifiers._labels import ChosenLabelsMixin
from emclassify.classifiers._lipnet import LipNetClassifier
from emclassify.classifiers._side_by_side import fit_side_by_side, go_side_by_side
from emclassify.metrics._targets import SeveralLabels, is_multilabel

__all__ = ["SeedEnsembleClassifier"]


class SeedEnsembleClassifier(
    DelegatedInputMixin,
    ChosenLabelsMixin,
    MetaEstimatorMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Train a classifier several times from different seeds, average what it says.

    One training of a network is a draw: initial weights, order of the batches and
    augmentation change what it predicts. The average of several varies less, and is
    nearly always better than one of them [1]_.

    Parameters
    ----------
    estimator : estimator object, default=None
        Classifier or Pipeline with `predict_proba` and a parameter `random_state`, at
        any depth. None is ``LipNetClassifier()``.
    n_members : int, default=5
        Number of trainings.
    n_jobs : int, default=None
        Members trained at a time, through joblib; None is 1, -1 is all cores. The
        members don't depend on it.
    random_state : int, RandomState instance or None, default=None
        Gives each member its seed; those in `estimator` are replaced. A member's seed
        does not depend on `n_members`.
    verbose : int, default=0
        1 shows a progress bar over members.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members.
    converged_ : bool
        Whether all members were trained enough, if they are networks and say so. If
        not, `fit` gives one `ConvergenceWarning` that says how many.
    classes_ : ndarray of shape (n_classes,)
        Labels as they came; the numbers of the columns of an indicator matrix.
    multilabel_ : bool
        Whether y was an indicator matrix: several labels an image.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`, if the members have it.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`, if the members have it.

    See Also
    --------
    sklearn.ensemble.BaggingClassifier : Members that differ in their samples.

    Notes
    -----
    Members are trained separately, as `estimator` would be with the member's seed, so
    each of `estimators_` can be had again by itself. On a GPU networks are trained side
    by side, which takes less time than one after the other, to the same weights. Seeds
    are drawn for each `random_state` parameter found, in the order of the parameters'
    names.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable
       predictive uncertainty estimation using deep ensembles", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier, SeedEnsembleClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 8, 8)) + np.repeat([0, 2], 20)[:, None, None]
    >>> y = np.repeat(["dim", "bright"], 20)
    >>> lipnet = LipNetClassifier(max_epochs=4)
    >>> ensemble = SeedEnsembleClassifier(lipnet, n_members=3, random_state=0)
    >>> ensemble.fit(X, y).predict(X[[0, -1]])
    array(['dim', 'bright'], dtype='<U6')
    >>> ensemble.member_probabilities(X).shape
    (3, 40, 2)
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        n_members: int = 5,
        *,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.n_members = n_members
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the members.

        Parameters
        ----------
        X : array-like
            What `estimator` takes.
        y : array-like of shape (n,) or (n, n_labels)
            Labels, or an indicator matrix.
        sample_weight : array-like of shape (n,), default=None
            Passed on; refused if `estimator` takes none.
        groups : array-like of shape (n,), default=None
            Passed on, for the validation split of networks: through a Pipeline and its
            samplers too. Refused if `estimator` takes none.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            If `estimator` has no `random_state`, or doesn't take what is passed.
        """
        given = {}
        estimator = self._member()
        kind = type(estimator).__name__
        if sample_weight is not None:
            name = fit_parameter(estimator, "sample_weight")
            if name is None:
                why = why_not_taken(estimator, "sample_weight")
                raise ValueError(f"sample_weight was given, but {why}.")
            given[name] = sample_weight
        if groups is not None:
            groups = check_groups(groups, _num_samples(X))
            warn_lost_groups(kind, estimator, given)
            given = add_groups(given, estimator, groups)
            if "groups" not in given:
                why = why_not_taken(estimator, "groups")
                raise ValueError(f"groups was given, but {why}.")
        rng = check_random_state(self.random_state)
        members = [_reseeded(estimator, rng) for _ in range(self.n_members)]
        title = f"{self.n_members} × {kind}"
        if self.n_jobs in (None, 1) and go_side_by_side(members):
            with quiet_convergence() as said:
                fit_side_by_side(members, X, y, given, title if self.verbose else None)
            self.estimators_ = members
        else:
            tasks = (delayed(_fit)(member, X, y, given) for member in members)
            fits = Parallel(n_jobs=self.n_jobs, return_as="generator")(tasks)
            fits = list(
                tqdm(
                    fits,
                    total=self.n_members,
                    desc=title,
                    unit="member",
                    disable=not self.verbose,
                )
            )
            self.estimators_ = [member for member, _ in fits]
            said = [reason for _, reasons in fits for reason in reasons]
        self.multilabel_ = is_multilabel(y)
        self.classes_ = (
            np.arange(plain_labels(y).shape[1])
            if self.multilabel_
            else self.estimators_[0].classes_
        )
        learning = self._still_learning()
        if learning:
            reason = (
                f"{learning} of its {self.n_members} members "
                f"{'was' if learning == 1 else 'were'} still learning. "
                + (f"One of them: {said[-1]}" if said else "Have them learn for longer")
            )
            say_not_converged(self, reason, stacklevel=4)
        return self

    @property
    def converged_(self) -> bool:
        """Whether all members were trained enough, if they are networks."""
        if not fitted_networks(vars(self).get("estimators_")):
            raise AttributeError(
                f"{type(self).__name__} has no converged_ before fit, nor where its "
                "members have none."
            )
        return not self._still_learning()

    def _still_learning(self) -> int:
        """Return the number of members with a network that says so."""
        return sum(
            not all(network.converged_ for network in fitted_networks(member))
            for member in self.estimators_
        )

    def member_probabilities(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class by each member.

        Parameters
        ----------
        X : array-like
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n_members, n, n_classes)
            In the order of `estimators_` and `classes_`; with several labels a sample
            too, where some estimators of scikit-learn give a list.
        """
        check_is_fitted(self)
        return np.stack([self._probabilities(member, X) for member in self.estimators_])

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the mean of the members' probabilities.

        Parameters
        ----------
        X : array-like
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`.
        """
        return self.member_probabilities(X).mean(axis=0)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the label of the highest mean probability, or all of at least 0.5.

        Parameters
        ----------
        X : array-like
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n,)
        """
        return self._choose_labels(self.predict_proba(X))

    def _probabilities(self, member: BaseEstimator, X: ArrayLike) -> np.ndarray:
        """Return those of one member, (n, n_classes), in whatever form it has them."""
        if not self.multilabel_:
            return member.predict_proba(X)
        proba, kind = SeveralLabels(len(self.classes_)).class_scores(member, X)
        if kind != "probability":
            raise ValueError(
                f"predict_proba of {type(member).__name__} does not give one "
                "probability for each label."
            )
        return proba

    def _member(self) -> BaseEstimator:
        return LipNetClassifier() if self.estimator is None else self.estimator

    def _fitted_within(self) -> BaseEstimator:
        return self.estimators_[0]

    def __sklearn_tags__(self) -> Tags:
        """Say of inputs and labels what the members say."""
        tags = super().__sklearn_tags__()
        member = get_tags(self._member())
        tags.input_tags = member.input_tags
        tags.classifier_tags = member.classifier_tags
        return tags


def _reseeded(estimator: BaseEstimator, rng: np.random.RandomState) -> BaseEstimator:
    """Return a clone with a new seed in each `random_state`."""
    member = clone(estimator)
    names = sorted(
        name
        for name in member.get_params(deep=True)
        if name.rpartition("__")[2] == "random_state"
    )
    if not names:
        raise ValueError(
            f"{type(estimator).__name__} has no parameter random_state: its trainings "
            "would all be the same. Take an estimator that has one."
        )
    seeds = {name: rng.randint(np.iinfo(np.int32).max) for name in names}
    return member.set_params(**seeds)


def _fit(
    member: BaseEstimator, X: ArrayLike, y: ArrayLike, given: dict
) -> tuple[BaseEstimator, list[str]]:
    """Return the fitted member, and why its networks are not trained enough."""
    with quiet_convergence() as said:  # in a process of its own, too
        return fit_with(member, X, y, given), said
