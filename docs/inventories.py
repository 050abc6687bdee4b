"""Lists of what other sites document, so that names here link there.

Each is fetched once into a folder. A site that does not answer is left out, and the
names that would lead there stay plain: the build needs no net.
"""

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SITES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "pandas": "https://pandas.pydata.org/docs/",
    "sklearn": "https://scikit-learn.org/stable/",
    "skimage": "https://scikit-image.org/docs/stable/",
    "imblearn": "https://imbalanced-learn.org/stable/",
    "torch": "https://docs.pytorch.org/docs/stable/",
    "skorch": "https://skorch.readthedocs.io/en/stable/",
    "timm": "https://huggingface.co/docs/timm/main/en/",
    "matplotlib": "https://matplotlib.org/stable/",
}
_PATIENCE = 5  # seconds


def reachable(folder, sites=None):
    """Return `intersphinx_mapping` for the sites whose inventory can be had.

    Parameters
    ----------
    folder : path-like
        Where inventories are kept.
    sites : dict of str to str, default=None
        Address of each site; None is `SITES`.

    Returns
    -------
    dict of str to (str, str)
        Address and file of the inventory.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sites = SITES if sites is None else sites

    def keep(name):
        path = folder / f"{name}.inv"
        if not path.is_file():
            _fetch(f"{sites[name]}objects.inv", path)
        return path

    with ThreadPoolExecutor(len(sites) or 1) as pool:
        paths = dict(zip(sites, pool.map(keep, sites), strict=True))
    found = {name: path for name, path in paths.items() if path.is_file()}
    if len(found) < len(sites):
        left = ", ".join(name for name in sites if name not in found)
        print(f"No links to {left}: the inventories can't be fetched.")
    return {name: (sites[name], str(path)) for name, path in found.items()}


def _fetch(url, path):
    """Write what an address has, if it is an inventory."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            content = answer.read()
    except OSError:
        return
    if content.startswith(b"# Sphinx inventory"):
        path.write_bytes(content)
