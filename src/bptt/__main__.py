"""``python -m bptt`` is the command ``bptt``."""

from bptt.cli.app import main

if __name__ == "__main__":
    main()
