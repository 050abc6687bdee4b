"""``python -m studies.liposomes``."""

from studies.liposomes._study import main

if __name__ == "__main__":
    main()
