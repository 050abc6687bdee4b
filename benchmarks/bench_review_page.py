"""How long a page of many images takes to be written, and to open in a browser.

    python benchmarks/bench_review_page.py [--images 10000] [--side 64] [--repeat 5]

Images are noise, which compresses worst. Opened is a page when its first thumbnails are
drawn and their sheet is decoded; what is timed begins before the page is asked for. It
needs Chromium with its driver, and Selenium.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from emclassify.review import write_review_page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import start_browser

# Resolved when the sheet of the first thumbnail is there and a frame was drawn.
SEEN = """
const done = arguments[0], thumb = document.querySelector(".tile .thumb");
const sheet = new Image();
sheet.src = getComputedStyle(thumb).backgroundImage.slice(5, -2);
sheet.decode().then(() => requestAnimationFrame(() => setTimeout(done)));
"""


def seconds_to_open(page: Path, folder: Path) -> float:
    """Return the seconds from asking for a page to its first thumbnails."""
    browser = start_browser(folder)
    try:
        begin = time.perf_counter()
        browser.get(page.as_uri())
        browser.execute_async_script(SEEN)
        return time.perf_counter() - begin
    finally:
        browser.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    shape = args.images, args.side, args.side
    X = rng.integers(0, 255, shape, dtype=np.uint8)
    proba = rng.dirichlet([1, 1, 1], len(X))
    y = np.resize(["a", "b", "c"], len(X))
    folder = Path(tempfile.mkdtemp())
    try:
        for name in ("review.html", "review"):
            begin = time.perf_counter()
            page = write_review_page(X, proba, y, path=folder / name)
            written = time.perf_counter() - begin
            opened = [seconds_to_open(page, folder) for _ in range(args.repeat)]
            kind = "one file" if name.endswith("html") else "a folder"
            print(
                f"{len(X)} images as {kind}: written in {written:.1f} s, opened in "
                f"{np.median(opened):.2f} s (median of {args.repeat}; "
                f"{min(opened):.2f} to {max(opened):.2f})"
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
