"""Models on the same folds, on other domains, and at a chosen working point."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
