"""Pretrained networks: sources, reading and checks."""
