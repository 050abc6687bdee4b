"""Time of `import emclassify` against `import sklearn.svm`, each in a fresh process.

    python benchmarks/bench_import.py [number of runs]

It also fails if the import loads torch.
"""

import subprocess
import sys

from _timing import by_turns

CHECK = "import emclassify, sys; assert 'torch' not in sys.modules"


def importing(statement):
    """Return a function that runs a statement in a fresh interpreter."""
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


def main(runs=7):
    subprocess.run([sys.executable, "-c", CHECK], check=True)
    nothing, ours, theirs = by_turns(
        importing("pass"),
        importing("import emclassify"),
        importing("import sklearn.svm"),
        runs=runs,
    )
    ratio = (ours - nothing) / (theirs - nothing)
    print(
        f"import emclassify: {ours - nothing:.3f} s; import sklearn.svm: "
        f"{theirs - nothing:.3f} s; ratio {ratio:.2f} (goal at most 1.2); "
        f"the interpreter's own {nothing:.3f} s are left out; torch is not imported"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
