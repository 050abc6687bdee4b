"""Per-class confusion figures, and figures at a threshold with a bound."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
