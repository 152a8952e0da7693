"""The entry point: ``bptt`` and ``python -m bptt``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command.

    A check's process is started first: it imports NumPy while this one still reads the command line.
    """
    try:
        if sys.argv[1:2] == ["check"] and not {"-h", "--help", "--explain"} & set(sys.argv):
            from bptt.checking.running.sandbox import warm

            warm()
        from bptt.cli.app import main as command

        command()
    except KeyboardInterrupt:  # before a verb runs; from then on run_verb takes it
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
