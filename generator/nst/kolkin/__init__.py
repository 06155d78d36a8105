"""Style transfer after Kolkin: STROTSS (2019) and Neural Neighbor Style Transfer (2022), written from the papers."""
