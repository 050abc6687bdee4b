"""``python -m studies.cells``."""

from studies.cells._study import main

if __name__ == "__main__":
    main()
