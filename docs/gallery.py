"""What the gallery's examples need before they run, in whichever process."""

import warnings


def before_example(gallery_conf, fname):
    """Have timm import, and warnings shown as a reader of the site can use them."""
    # torchvision, which timm needs, is built for CUDA: beside a CPU build of torch.
    import torchvision_operators  # noqa: F401

    warnings.formatwarning = without_path


def without_path(message, category, filename, lineno, line=None):
    """Return "ConvergenceWarning: …", without the folder that the site was built in."""
    return f"{category.__name__}: {message}\n"
