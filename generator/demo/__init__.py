"""The demonstration's pictures: photographs that installed packages carry, and artwork painted by code."""
