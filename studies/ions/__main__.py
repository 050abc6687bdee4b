"""``python -m studies.ions``."""

from studies.ions._study import main

if __name__ == "__main__":
    main()
