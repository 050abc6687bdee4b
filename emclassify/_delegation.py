"""What an estimator around another says of its input: what that one says."""

import numpy as np

from emclassify._doc_link import DocLinkMixin

__all__ = ["DelegatedInputMixin"]


class DelegatedInputMixin(DocLinkMixin):
    """Gives a meta-estimator what its fitted estimator found out about X in `fit`."""

    def _fitted_within(self):
        """Return the fitted estimator; AttributeError before `fit`."""
        return self.estimator_

    @property
    def n_features_in_(self) -> int:
        """``X.shape[1]`` seen in `fit`."""
        return self._of_fitted("n_features_in_")

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns seen in `fit`, if X had names."""
        return self._of_fitted("feature_names_in_")

    @property
    def image_shape_(self) -> tuple[int, int, int]:
        """(height, width, channels) seen in `fit`."""
        return self._of_fitted("image_shape_")

    def _of_fitted(self, name):
        # AttributeError, so that hasattr says no.
        try:
            fitted = self._fitted_within()
        except AttributeError:
            raise AttributeError(
                f"{type(self).__name__} has no {name}: it is not fitted."
            ) from None
        return getattr(fitted, name)
