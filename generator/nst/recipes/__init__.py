"""Recipes, presets, layer names, conventions and errors. Imports no torch."""
