"""Pretrained networks: where they are, how they are read and checked."""
