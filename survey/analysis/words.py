"""Each statistic in one plain sentence with its source: for the report, the results page and the methods text."""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A statistic in words."""

    term: str
    sentence: str
    source: str


GLOSSARY: Final = (
    Entry(
        "MOS",
        "The mean of an item's ratings on the scale from 1 (bad) to 5 (excellent); only the main phase counts.",
        "ITU-T P.800.1, P.910",
    ),
    Entry(
        "SD",
        "The sample standard deviation of an item's ratings (N − 1): how much people differ, not how sure the mean is.",
        "ITU-R BT.500 Annex 1",
    ),
    Entry(
        "95 % CI",
        "Student's t interval of the mean, mean ± t(0.975, n − 1) SD/√n, not clipped to the scale; both ends are "
        "given, so the half width is half their distance. Undefined for one rating or where all agree.",
        "ITU-T P.1401 clause 7.4, P.913",
    ),
    Entry(
        "bounded CI",
        "Wilson's interval of (MOS − 1)/4 with effective sample size n/a; it never leaves the scale and is defined "
        "from one rating on. Derived from known parts, not a standard.",
        "Wilson 1927; Hoßfeld et al. 2016, arXiv:1607.00321",
    ),
    Entry(
        "GoB, PoW",
        "The share of ratings that are good or better (4, 5), and poor or worse (1, 2).",
        "ITU-T G.107; Hoßfeld et al. 2016, arXiv:1607.00321",
    ),
    Entry(
        "SOS a",
        "How much people disagree once the mean is known: variance = a (MOS − 1)(5 − MOS), least squares over the "
        "items. 0: all agree; 0.25: as a binomial; 1: only 1 and 5 are given.",
        "Hoßfeld, Schatz and Egger 2011, QoMEX",
    ),
    Entry(
        "Krippendorff's α",
        "Agreement of the participants on single ratings, 1 for perfect, 0 for chance; works with missing ratings. "
        "A low value is usual in taste and does not make the means unsure.",
        "Krippendorff 2019, Content Analysis, 4th edition",
    ),
    Entry(
        "ICC(2,1), ICC(2,k)",
        "Reliability of one participant's rating, and of the mean of k, when other participants of the same kind "
        "might have been asked (two-way random effects, absolute agreement).",
        "Shrout and Fleiss 1979; McGraw and Wong 1996",
    ),
    Entry(
        "Friedman",
        "Tests whether the items differ at all, on the ranks within each participant.",
        "Friedman 1937",
    ),
    Entry(
        "Wilcoxon, Holm",
        "Tests a pair of items or conditions on the differences within participants; p is adjusted for the number "
        "of pairs. Votes are never pooled as if each were a new person's.",
        "Wilcoxon 1945; Holm 1979",
    ),
    Entry(
        "BT.500 screening",
        "Flags participants whose votes lie far from the others' too often and on both sides; computed once, in "
        "exact integers, unanimous items left aside. A flag is no deletion.",
        "ITU-R BT.500 Annex 1",
    ),
    Entry(
        "P.913 correlation",
        "Flags participants whose ratings correlate too little with the items' MOS.",
        "ITU-T P.913; VQEG",
    ),
    Entry(
        "bias, inconsistency",
        "How much higher a participant rates than the others, and the spread of the ratings about quality plus bias; "
        "maximum likelihood by alternating projection.",
        "ITU-T P.910 (10/2023) Annex E; Li et al. 2020, HVEI",
    ),
    Entry(
        "recovered quality",
        "The MOS with bias removed and each participant weighted by 1/inconsistency²; ± 1.96 s/√n with s the "
        "standard deviation of the item's residuals. It holds for this panel, not for people in general.",
        "ITU-T P.910 (10/2023) Annex E",
    ),
    Entry(
        "condition mean",
        "The mean over participants of each one's mean in the condition, with Student's t over participants: ratings "
        "of one person hang together. The naive interval beside it is what pooling the votes would give.",
        "Finkelstein et al. 2023, Interspeech",
    ),
)

PAIR_GLOSSARY: Final = (
    Entry(
        "score",
        "Log odds of being chosen: of two images whose scores differ by 1, the better is chosen e = 2.7 times as often "
        "as the other. The mean of each group is 0.",
        "Bradley and Terry 1952, Biometrika 39; ties: Davidson 1970, JASA 65",
    ),
    Entry(
        "95 % CI",
        "Score ± 1.96 standard errors that take all choices of one participant as one cluster, since they hang together.",
        "sandwich estimator, White 1982, Econometrica 50",
    ),
    Entry(
        "group",
        "Images that a chain of comparisons connects; only images of one content are shown together. Scores of different "
        "groups cannot be compared.",
        "Ford 1957, American Mathematical Monthly 64",
    ),
    Entry(
        "share",
        "How often an image was chosen when it was shown; a tie counts half.",
        "ITU-T P.910, pair comparison",
    ),
    Entry(
        "sign test, Holm",
        "Tests for each pair whether one image is chosen more often than the other, ties left out; p is adjusted for the "
        "number of pairs.",
        "Dixon and Mood 1946; Holm 1979",
    ),
    Entry(
        "chose the first image",
        "Share of decided choices for the image shown first (A); far from 50 % it tells of a bias towards a place. Which "
        "image comes first is drawn for each participant, so that it favours none.",
        "ITU-T P.910, pair comparison",
    ),
)
