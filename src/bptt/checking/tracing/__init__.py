"""Watching a program at work: the tape of its forward pass, the truth, and execution forced onto it."""
