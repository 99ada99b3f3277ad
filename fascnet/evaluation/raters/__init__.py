"""Agreement between raters, their consensus, and whether a model can stand in for one."""
