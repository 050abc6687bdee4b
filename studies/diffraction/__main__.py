"""``python -m studies.diffraction``."""

from studies.diffraction._study import main

if __name__ == "__main__":
    main()
