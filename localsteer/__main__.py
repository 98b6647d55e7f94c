"""``python -m localsteer`` is the command ``localsteer``."""

from localsteer.cli import main

if __name__ == "__main__":
    main()
