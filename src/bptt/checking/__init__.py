"""Checking: somebody's own backward pass against their own forward; it never sees our network."""
