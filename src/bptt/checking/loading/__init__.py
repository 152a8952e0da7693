"""From a text to a program that runs: reading, executing definitions, finding forward, cost and backward."""
