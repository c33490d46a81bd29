"""How fast: times and ratios within one run, to the other libraries and to the bare calls that the work needs."""
