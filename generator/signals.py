"""What other apps may want to hear of."""

from __future__ import annotations

from django.dispatch import Signal

#: The images of a set were measured: sent with `image_set` once their covariates are saved.
described = Signal()
