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
