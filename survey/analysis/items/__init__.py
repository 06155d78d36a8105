"""Statistics of images and conditions."""
