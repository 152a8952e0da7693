"""The command line: one module a verb, each a plain function that returns the exit code."""
