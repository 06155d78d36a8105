"""Runs from the browser, and the workers that make them."""
