"""Statistics of pair comparisons."""
