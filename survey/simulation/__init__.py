"""Simulated participants, bots and the demonstration."""
