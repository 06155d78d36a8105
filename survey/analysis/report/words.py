"""An explanation of each statistic with its source, for the report, the results page and the methods text."""

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
        "The mean of an item's ratings; only the main phase counts.",
        "ITU-T P.800.1, P.910",
    ),
    Entry(
        "SD",
        "The sample standard deviation of an item's ratings (N − 1): how much people differ, not how sure the mean is.",
        "ITU-R BT.500 Annex 1",
    ),
    Entry(
        "95 % CI",
        "Student's t interval of the mean with participants as the unit, not clipped to the scale: mean ± t(0.975, n − 1) "
        "SD/√n where each participant rated the item once, else the ratio estimator with participants as clusters. Both "
        "ends are given, so the half width is half their distance. Undefined for one participant or where all agree.",
        "ITU-T P.1401 clause 7.4, P.913; Cochran 1977, section 2.11",
    ),
    Entry(
        "bounded CI",
        "Wilson's interval of (MOS − L)/(H − L), on a scale from L to H, with effective sample size n/a, less where "
        "participants rated again; it never leaves the scale and is defined from one rating on. Derived from known parts, "
        "not a standard.",
        "Wilson 1927; Hoßfeld et al. 2016, arXiv:1607.00321",
    ),
    Entry(
        "GoB, PoW",
        "The share of ratings in the two upper categories of five (good or better), and in the two lower (poor or worse).",
        "ITU-T G.107; Hoßfeld et al. 2016, arXiv:1607.00321",
    ),
    Entry(
        "SOS a",
        "How much people disagree once the mean is known: variance = a (MOS − L)(H − MOS) on a scale from L to H, least "
        "squares over the items. 0: all agree; 0.25: as a binomial of four steps; 1: only the ends are given.",
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
        "median, 1 … 5",
        "The middle one of an item's ratings, and how many people gave each category: what the mean leaves out.",
        "ITU-T P.910",
    ),
    Entry(
        "other intervals",
        "Normal: mean ± 1.96 SD/√n, too narrow for few ratings. Bootstrap (percentile, BCa): of 2000 samples of "
        "participants drawn with replacement. Dirichlet: credible interval with one imagined rating spread over the "
        "categories.",
        "ITU-R BT.500 Annex 1; Efron 1987",
    ),
    Entry(
        "Friedman, Kendall's W",
        "Friedman's χ² tests whether the items differ at all, on the ranks within each participant; W is the same as a "
        "measure of agreement on the order, from 0 for none to 1 for the same order by everybody.",
        "Friedman 1937; Kendall and Smith 1939",
    ),
    Entry(
        "Wilcoxon, Holm",
        "Tests a pair of items or conditions on the differences within participants; p is exact up to 50 pairs "
        "that differ, and adjusted for the number of pairs. Votes are never pooled as if each were a new person's. The rank-biserial correlation, −1 to 1, is "
        "the size of the effect.",
        "Wilcoxon 1945; Holm 1979; Kerby 2014",
    ),
    Entry(
        "BT.500 screening",
        "Marks participants whose votes lie far from the others' too often and on both sides; computed once, in "
        "exact integers, unanimous items left aside. A mark is no deletion.",
        "ITU-R BT.500 Annex 1",
    ),
    Entry(
        "P.913 correlation",
        "Whose ratings correlate too little with the items' MOS. It only informs and marks nobody: the threshold was set for video "
        "in laboratories.",
        "ITU-T P.913; VQEG",
    ),
    Entry(
        "other correlations",
        "Left out: a participant's correlation with the mean of the others alone, which only informs. BT.1788, which marks: the smaller of Pearson and "
        "Spearman, with a threshold that falls below 0.7 where the whole panel is noisy.",
        "ITU-R BT.1788",
    ),
    Entry(
        "straight lining, speed",
        "Marks a run of one answer that answers drawn at random from the panel's own would reach with a chance below 1 "
        "in 1000, and a median response time below a third of the panel's. Conventions, not standards.",
        "Method, in the documentation",
    ),
    Entry(
        "gold, trap, repeats",
        "Marks fewer than 70 % of images of known rating within ±1, a trap picture answered otherwise than it asks, "
        "and a mean difference above 1.4 between two ratings of one image (1.6 is chance).",
        "ITU-T P.808 for gold and trap; Method, in the documentation",
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
    Entry(
        "bootstrap, mixed model",
        "Two other intervals of a condition mean: participants and items drawn with replacement (errs on the wide "
        "side), and a linear model with crossed effects of item and participant by REML.",
        "Owen 2007; Bates et al. 2015",
    ),
    Entry(
        "effects of factors",
        "A linear mixed model by REML with participant, participant × factor, content, content × factor and item as random "
        "parts; type III F tests with Satterthwaite's degrees of freedom, adjusted by Holm over all effects. Beside it the "
        "test with participants as the only random unit, which holds for these images alone.",
        "Bates et al. 2015; Kuznetsova et al. 2017; Greenhouse and Geisser 1959; Pustejovsky and Tipton 2018",
    ),
    Entry(
        "marginal mean, d",
        "The mean at one level over all levels of the other factors with equal weight. d is a difference over the square "
        "root of the sum of all variances.",
        "Searle, Speed and Milliken 1980; Westfall, Kenny and Judd 2014",
    ),
    Entry(
        "covariates",
        "What was measured on the images against their MOS. PLCC and SROCC: Pearson's and Spearman's correlation, 95 % interval "
        "by the jackknife over contents; RMSE, RMSE* and outlier ratio after a line fitted on these data. The test is the slope "
        "of a mixed model within contents, adjusted by Holm over the covariates; beside it a regression of the MOS with contents "
        "as clusters.",
        "ITU-T P.1401 (01/2020); Bates et al. 2015; Pustejovsky and Tipton 2018",
    ),
    Entry(
        "groups",
        "Groups of participants. Welch's t test, unequal variances, on one mean for each participant, every two groups, adjusted by "
        "Holm; Welch's F over more than two; g is Hedges'. Beside it a linear mixed model by REML: group fixed, participant, item "
        "and item × group random, Satterthwaite's degrees of freedom. Items one by one: Welch, adjusted by Holm over all of them.",
        "Welch 1947, 1951; Hedges 1981; Bates et al. 2015; Kuznetsova et al. 2017",
    ),
    Entry(
        "two camps",
        "An item's votes have two peaks with a deeper valley between them than chance allows where all people hold one opinion: "
        "draws of the generalised score distribution with one peak (mean ψ, agreement ρ), adjusted by Holm. The smaller camp has a fifth of the "
        "votes or more. Nobody is screened by it.",
        "Janowski et al. 2019, arXiv:1909.04369; Method, in the documentation",
    ),
    Entry(
        "letters",
        "Two conditions share a letter exactly where the adjusted comparisons find no difference between them.",
        "Piepho 2004",
    ),
    Entry(
        "DMOS",
        "The mean of each participant's rating of an image less that of its hidden reference, plus the scale's high end; "
        "above it the image was preferred to its reference.",
        "ITU-T P.910, ACR-HR",
    ),
    Entry(
        "panels",
        "The same scores of everyone, without the participants whom screening marks, and weighted by the "
        "subject model, with ranks: where they agree, the conclusions do not hang on who was left out.",
        "Method, in the documentation",
    ),
    Entry(
        "ordinal check",
        "An ordered probit model of the conditions, or of the factors with participants as clusters, which takes the "
        "categories as ranks only: says whether the order of the means would be another.",
        "McKelvey and Zavoina 1975",
    ),
    Entry(
        "detectable difference, ratings needed",
        "The smallest difference of two items that a 5 % test finds with 80 % power, from the spread that is left "
        "after item and participant; and how many ratings would make an interval of ± a sixteenth of the scale "
        "(0.25 on 1 to 5), by the SOS hypothesis.",
        "Cohen 1988; Hoßfeld et al. 2016, arXiv:1607.00321",
    ),
    Entry(
        "convergence",
        "Half the bounded interval with the first k ratings of each item, the median over items: where it flattens, "
        "more ratings of the same kind change little.",
        "Method, in the documentation",
    ),
)

PAIR_GLOSSARY: Final = (
    Entry(
        "score",
        "Log odds of being chosen: of two images whose scores differ by 1, the better is chosen e = 2.7 times as often "
        "as the other. The mean of each group is 0. Where pairs were drawn by earlier answers, the scores are taken as "
        "normal around 0 with an SD that is estimated with them.",
        "Bradley and Terry 1952, Biometrika 39; ties: Davidson 1970, JASA 65",
    ),
    Entry(
        "95 % CI",
        "Score ± 1.96 standard errors that take all choices of one participant as one cluster, since they hang together. "
        "Where pairs were drawn by earlier answers: the model's own where they are wider, and Student's t.",
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
        "How often an image was chosen when it was shown; a tie counts half. It is left out where pairs were drawn by what "
        "earlier answers left open.",
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
