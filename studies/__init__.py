"""The sources' experiments, a folder each, at any size up to the source's.

Run from the root of a checkout, with emclassify installed::

    python -m studies.liposomes --out FOLDER
    python -m studies.cells --out FOLDER
    python -m studies.cells.dirt --out FILE
    python -m studies.diffraction --out FOLDER
    python -m studies.ions --out FOLDER
    python -m studies.shortcuts

Each says more with ``--help``.
"""
