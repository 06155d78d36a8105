"""Cells become images. These modules import torch."""
