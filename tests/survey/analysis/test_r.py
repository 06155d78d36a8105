"""R as an oracle: the same data, the same numbers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from survey.analysis import Analysis, analyse, check
from survey.analysis.items.comparisons import holm
from survey.analysis.items.ordinal import ordered_probit
from survey.analysis.scale import ACR, Scale
from tests.programs import R
from tests.survey.analysis.tables import sparse_study, study

pytestmark = pytest.mark.skipif(R.find() is None, reason=R.missing)

SCRIPT = r"""
suppressMessages(for (package in c("lme4", "psych", "ordinal")) library(package, character.only = TRUE))
say <- function(name, values) {
  cat(sprintf("%s,%d,%.17g\n", name, seq_along(values), as.numeric(values)), file = out, append = TRUE, sep = "")
}
for (name in strsplit(Sys.getenv("DATA"), " ")[[1]]) {
  out <- paste0(name, ".out")
  d <- read.csv(paste0(name, ".csv"))
  d$item <- factor(d$item)
  d$participant <- factor(d$participant)
  # Ratings of one participant and item put together: their mean is one of equally many people.
  means <- aggregate(rating ~ participant + item, d, mean)
  for (item in levels(d$item)) say(paste0("t_", item), t.test(means$rating[means$item == item])$conf.int)
  tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, xtol_rel = 1e-14, ftol_abs = 1e-16, ftol_rel = 1e-18))
  fit <- lmer(rating ~ 1 + (1 | item) + (1 | participant), d, control = tight)
  variances <- as.data.frame(VarCorr(fit))
  say("variances", variances$vcov[match(c("item", "participant", "Residual"), variances$grp)])
  wide <- tapply(d$rating, list(d$participant, d$item), mean)
  if (suppressMessages(requireNamespace("irr", quietly = TRUE)) && !any(duplicated(d[c("participant", "item")]))) {
    for (kind in c("interval", if (all(d$rating == round(d$rating))) "ordinal")) {
      say(paste0("alpha_", kind), irr::kripp.alpha(wide, method = kind)$value)
    }
    if (!anyNA(wide)) {
      both <- irr::icc(t(wide), "twoway", "agreement", "single")
      say("irr_icc", c(both$value, both$lbound, both$ubound))
    }
  }
  if (anyNA(wide)) next
  say("friedman", unlist(friedman.test(wide)[c("statistic", "p.value")]))
  icc <- ICC(t(wide), lmer = FALSE)$results
  say("icc", unlist(icc[icc$type == "ICC2", c("ICC", "lower bound", "upper bound")]))
  say("icck", unlist(icc[icc$type == "ICC2k", c("ICC", "lower bound", "upper bound")]))
  pairs <- combn(ncol(wide), 2)
  # R is exact without ties alone.
  p <- apply(pairs, 2, function(ij) suppressWarnings(wilcox.test(wide[, ij[1]], wide[, ij[2]], paired = TRUE, exact = TRUE)$p.value))
  say("wilcoxon", p)
  say("holm", p.adjust(p, "holm"))
  if (all(d$rating == round(d$rating)) && max(d$rating) <= 5) {
    say("probit", clm(factor(rating) ~ item, data = d, link = "probit")$beta)
  }
}
"""


def continuous() -> pd.DataFrame:
    """Ratings from 0 to 100 in decimals, without ties."""
    rng = np.random.default_rng(0)
    table = study(items=6, participants=12)
    return table.assign(rating=np.round(20 * (table["rating"] - 1) + rng.uniform(1, 19, len(table)), 4))


TABLES = {
    "complete": (study(items=8, participants=14), ACR),
    "thrice": (
        pd.concat([study(seed, items=6, participants=9) for seed in range(3)], ignore_index=True),
        ACR,
    ),
    "sparse": (sparse_study(), ACR),
    "slider": (continuous(), Scale(0, 100, None)),
}


@pytest.fixture(scope="module")
def by_r(tmp_path_factory) -> dict[str, dict[str, np.ndarray]]:
    """R's values: {table: {name: values}}."""
    folder: Path = tmp_path_factory.mktemp("r")
    for name, (table, _) in TABLES.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "oracle.R").write_text(SCRIPT)
    run = subprocess.run(
        ["Rscript", "--vanilla", "oracle.R"],
        cwd=folder,
        env={"DATA": " ".join(TABLES), "PATH": "/usr/bin:/bin", "R_LIBS": os.environ.get("R_LIBS", "")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    values = {}
    for name in TABLES:
        frame = pd.read_csv(folder / f"{name}.out", names=["name", "place", "value"])
        values[name] = {str(key): rows["value"].to_numpy() for key, rows in frame.groupby("name")}
    return values


@pytest.fixture(scope="module")
def ours() -> dict[str, Analysis]:
    return {name: analyse(check(table, scale=scale)) for name, (table, scale) in TABLES.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_intervals_of_items_are_rs(by_r, ours, name):
    for row in ours[name].mos.itertuples():
        np.testing.assert_allclose([row.ci_low, row.ci_high], by_r[name][f"t_{row.item}"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", TABLES)
def test_variance_components_are_lme4s(by_r, ours, name):
    summary = ours[name].summary
    components = [summary[f"reml_{part}"] for part in ("item", "participant", "residual")]
    np.testing.assert_allclose(components, by_r[name]["variances"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["complete", "thrice", "slider"])
def test_friedmans_test_is_rs(by_r, ours, name):
    summary = ours[name].summary
    expected = by_r[name]["friedman"]
    np.testing.assert_allclose([summary["friedman_chi2"], summary["friedman_p"]], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["complete", "thrice", "slider"])
def test_intraclass_correlations_are_psychs(by_r, ours, name):
    for key, prefix in (("icc", "icc_2_1"), ("icck", "icc_2_k")):
        values = [ours[name].summary[key] for key in (prefix, f"{prefix}_low", f"{prefix}_high")]
        np.testing.assert_allclose(values, by_r[name][key], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("name", "values"), [("sparse", "alpha"), ("complete", "icc"), ("slider", "icc")])
def test_agreement_is_that_of_the_package_irr(by_r, ours, name, values):
    # Alpha on gaps alone: on complete tables irr 0.84.1 departs from the definition, as the package krippendorff does not.
    if "alpha_interval" not in by_r[name]:
        pytest.skip("R has no package irr")
    summary = ours[name].summary
    if values == "alpha":
        for key in ("alpha_interval", "alpha_ordinal"):
            np.testing.assert_allclose(summary[key], by_r[name][key][0], rtol=0, atol=1e-9)
    else:
        icc = [summary[f"icc_2_1{end}"] for end in ("", "_low", "_high")]
        np.testing.assert_allclose(icc, by_r[name]["irr_icc"], rtol=0, atol=1e-9)


def test_signed_ranks_without_ties_are_rs(by_r, ours):
    table = ours["slider"].comparisons
    np.testing.assert_allclose(table["p"], by_r["slider"]["wilcoxon"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(table["p_holm"], by_r["slider"]["holm"], rtol=0, atol=1e-9)


def test_holms_correction_is_rs(by_r):
    np.testing.assert_allclose(holm(by_r["complete"]["wilcoxon"]), by_r["complete"]["holm"], atol=1e-12)


def test_the_ordered_probit_is_that_of_the_package_ordinal(by_r, ours):
    counts = ours["complete"].mos[[f"n{k}" for k in range(1, 6)]].to_numpy()
    np.testing.assert_allclose(ordered_probit(counts)[1:], by_r["complete"]["probit"], atol=1e-3)
