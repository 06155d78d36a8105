"""Pages of image sets, plans and uploads."""
