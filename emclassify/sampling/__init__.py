"""Samplers for images, in imbalanced-learn's way: classes evened out, outliers gone."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
