"""Running somebody's code in a process that cannot hang, fill or fool us."""
