"""Runs that were asked for in the browser, and the workers that make them."""
