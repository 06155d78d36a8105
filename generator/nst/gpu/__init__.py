"""What GPUs need beside the common path: memory and the precision of their products."""
