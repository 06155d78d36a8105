"""A plan file becomes cells. No torch, no database."""
