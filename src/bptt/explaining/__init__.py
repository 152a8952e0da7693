"""Explaining: the table of equations and the steps that it evaluates to."""
