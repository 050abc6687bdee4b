"""What the gallery's examples need before they run, in whichever process."""


def before_example(gallery_conf, fname):
    """Let torchvision be imported beside a CPU build of torch: timm needs it."""
    import torchvision_operators  # noqa: F401
