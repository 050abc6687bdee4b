"""Models in files: save, load, export, and read what a file says of itself."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
