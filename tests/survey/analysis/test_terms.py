"""What is rated is called by its name: images in a study, items in a file from elsewhere."""

from __future__ import annotations

import re

from survey.analysis import analyse, read_ratings


def test_what_a_file_rates_is_called_items_not_images(tmp_path):
    """Wines have no photographs."""
    levels = {f"wine {n}": (n % 3, n / 7, f"vineyard {n % 4}") for n in range(12)}
    lines = ["participant,item,rating,barrel,alcohol,content"]
    for p in range(6):
        for n, (wine, (barrel, alcohol, content)) in enumerate(levels.items()):
            rating = min(5, 1 + barrel + (p + n) % 3)
            lines.append(f"P{p},{wine},{rating},b{barrel},{alcohol + n / 100:.3f},{content}")
    path = tmp_path / "wines.csv"
    path.write_text("\n".join(lines))
    analysis = analyse(read_ratings(path))
    part = analysis.questions[""]
    effects, links = part.factor_effects.result, part.covariate_links.result
    assert effects is not None
    assert links is not None
    said = [
        *effects.sentences,
        *effects.remarks,
        *effects.untested.values(),
        *links.sentences,
        *links.remarks,
    ]
    said += [str(note) for note in (*effects.table["note"], *links.table["note"])]
    assert "contents like these" in " ".join(said)
    assert not re.search(r"image|photograph", " ".join(said), re.IGNORECASE)
