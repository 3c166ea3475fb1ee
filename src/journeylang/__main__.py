"""``python -m journeylang`` is ``journey``."""

from journeylang.cli.main import main

if __name__ == "__main__":
    main()
