"""Making images from cells. These modules import torch."""
