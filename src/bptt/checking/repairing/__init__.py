"""From a wrong statement to a proven right one: search, ranking, patch, proof."""
