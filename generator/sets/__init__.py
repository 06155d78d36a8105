"""Image sets: created, claimed, their progress, planes and sheets."""
