"""The effects of the factors as LaTeX tables (booktabs): the tests, and the marginal means."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from survey.analysis.effects import Effects
from survey.exports.latex import ended, escape
from survey.exports.tables import records
from survey.results.export import Export


def latex_effects(export: Export) -> str:
    """Return two tables for each question with tested factors; nothing for the others.

    What was not tested stands in comments, with its reason.
    """
    parts = []
    for question in export.questions:
        found = export.analysis.questions[question.key].factor_effects.result
        if found is None:
            continue
        label = re.sub("[^a-z0-9-]+", "-", f"{export.slug}-{question.key}".lower())
        parts += [f"% {escape(name)} was not tested: {escape(why)}" for name, why in found.left_out.items()]
        if found.of_kind("test")["p"].notna().any():
            parts.append(
                _tests(found, f"{export.kind}Effects of the factors: {escape(question.text)}", label)
            )
            parts.append(_means(found, f"{export.kind}Marginal means: {escape(question.text)}", label))
    return "\n".join(parts) + "\n" if parts else ""


def _tests(found: Effects, caption: str, label: str) -> str:
    tests = found.of_kind("test")
    rows = [
        f"{escape(row['effect'])} & {row['f']:.2f} & {row['df1']} & {row['df2']:.1f} & {_p(row['p'])} & "
        f"{_p(row['p_holm'])} & {row['eta2']:.3f} & {_p(row['people_p'])}"
        for row in records(tests[tests["p"].notna()])
    ]
    how = (
        f"{ended(caption)} Linear mixed model by REML, type III $F$ tests with Satterthwaite's degrees of freedom, "
        f"Holm's correction over all effects. Last column: participants as the only random unit "
        f"({tests['people_method'].dropna().iloc[0]})."
    )
    head = r"Effect & $F$ & $df_1$ & $df_2$ & $p$ & $p_\mathrm{Holm}$ & $\eta^2$ & $p$, people"
    return _table(how, f"tab:effects-{label}", "lrrrrrrr", head, rows)


def _means(found: Effects, caption: str, label: str) -> str:
    means = found.of_kind("mean")
    alone = means[[len(found.factors[name]) == 1 for name in means["effect"]]]
    rows = [
        f"{escape(row['effect'])} & {escape(row['level'])} & {row['items']} & {row['n']} & "
        f"${row['estimate']:.2f}$ & $[{row['ci_low']:.2f}, {row['ci_high']:.2f}]$ & {row['raw_mean']:.2f}"
        for row in records(alone)
    ]
    how = f"{ended(caption)} Mean at one level over all levels of the other factors, with its 95\\,\\% confidence interval."
    head = r"Factor & Level & Images & $n$ & Mean & 95\,\% CI & Raw mean"
    return _table(how, f"tab:means-{label}", "llrrrrr", head, rows)


def _table(caption: str, label: str, columns: str, head: str, rows: list[str]) -> str:
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{caption}}}",
        f"  \\label{{{label}}}",
        f"  \\begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        f"    {head} \\\\",
        r"    \midrule",
        *(f"    {row} \\\\" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _p(value: Any) -> str:
    if value is None or pd.isna(value):
        return "--"
    return "$<0.001$" if value < 0.001 else f"{value:.3f}"
