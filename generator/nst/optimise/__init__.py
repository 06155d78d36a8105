"""Style transfer by optimisation: one image or a batch."""
