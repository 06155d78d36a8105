"""Faster code for CPUs."""
