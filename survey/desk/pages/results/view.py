"""What the results of one question show, whatever they were made from: a study, or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from survey.analysis import Analysis, plots
from survey.analysis.covariates.labels import label
from survey.analysis.groups import Comparison
from survey.analysis.groups.sessions import sessions_said
from survey.analysis.items.intervals import INTERVALS
from survey.analysis.report.answers import Answer, condition_finding, condition_meaning, reliability_finding
from survey.analysis.report.headlines import findings, headlines
from survey.analysis.report.meanings import caution, in_sentences, shown_table, table_words
from survey.analysis.report.report import covariates_said, effects_said, groups_said, stamp_rows
from survey.analysis.report.used import glossary_of
from survey.analysis.simulated import told_of
from survey.analysis.table import main_phase
from survey.desk.pages.results.pieces import figure, file_response, interval, page_table, score
from survey.desk.pages.results.ranking import ranking
from survey.desk.pages.results.scores import scores
from survey.exports.tables import csv_bytes
from survey.results.export import QuestionText

TABLES: Final = {
    "conditions": "Conditions",
    "condition_comparisons": "Comparisons of conditions",
    "effects": "Effects of the factors",
    "covariates": "Covariates against the MOS",
    "groups": "Groups of participants",
    "dmos": "Differential MOS against the reference",
    "panels": "Scores under three panels",
    "comparisons": "Comparisons of {thing}s",
    "observers": "Participants",
    "screening": "Screening: every rule for every participant",
    "recovered": "Recovered quality (ITU-T P.910 Annex E)",
    "recovered_shrunken": "Recovered quality, shrunken variant",
    "split": "Votes that split into two camps",
}
OF_EFFECTS: Final = ("effects", "interaction", "numeric")
MIN_P: Final = 0.001
#: The views of a study's results by the name of their address.
VIEWS: Final = {
    "results": "Scores",
    "results_conditions": "Conditions",
    "results_covariates": "Covariates",
    "results_groups": "Groups",
    "results_reliability": "Reliability",
    "results_downloads": "Downloads and method",
}
PLOTS_OF: Final = {
    "scores": ("mos", "distribution", "significance"),
    "conditions": (*OF_EFFECTS, "factors", "conditions", "condition_significance"),
    "covariates": ("covariates",),
    "groups": (),
    "reliability": ("sos", "observers", "ratings", "convergence"),
}
TABLES_OF: Final = {
    "scores": ("comparisons", "dmos"),
    "conditions": ("effects", "conditions", "condition_comparisons"),
    "covariates": ("covariates",),
    "groups": ("groups",),
    "reliability": ("panels", "observers", "screening", "recovered", "split"),
}


@dataclass(frozen=True)
class View:
    """The analysis of one question, as every view shows it.

    Attributes:
        data: the analysis and its rows.
        question: as it was asked, with the labels of its scale.
        answer: what may be said of it.
        base: the address of the results, from the page that is shown.
        query: the switches, for links to plots and tables.
        thing: what one item is called.
    """

    data: plots.PlotData
    question: QuestionText
    answer: Answer
    base: str
    query: str
    thing: str = "image"

    @property
    def context(self) -> dict[str, Any]:
        """What every view needs."""
        return {
            "question": self.question,
            "answer": self.answer,
            "base": self.base,
            "query": self.query,
            "thing": self.thing,
            "simulated": told_of(main_phase(self.data.rows)),
        }

    def scores(self, asked: QueryDict, names: Mapping[str, str], ci: str) -> dict[str, Any]:
        """Return the first view: the ranking and the scores. names: of the items' images, where there are any."""
        part = self.data.analysis
        shown = ranking(asked, names, part, self.question.labels, self.answer.letters)
        rows = scores(names, part.mos, part.scale)
        return self._parts("scores") | shown | {"scores": rows, "ci_name": INTERVALS[ci], "has_images": names}

    def conditions(self) -> dict[str, Any]:
        """Return the effects of factors and the means of conditions; no model that is too slow for a page."""
        found = self.data.analysis.factor_effects
        effects = None if found.slow else found.result
        return self._parts("conditions", without=OF_EFFECTS if found.slow else ()) | {
            "finding": condition_finding(self.data.analysis, self.thing)
            if effects is None
            else effects.finding,
            "meaning": condition_meaning(self.data.analysis),
            "effects": [] if effects is None else effects_said(self.data.analysis)[1:],
            "slow": found.slow,
            "slow_names": ", ".join(found.factors),
            "design_claims": [claim for claim in self.answer.claims if claim.about == "design"],
        }

    def covariates(self) -> dict[str, Any]:
        """Return each covariate against the scores; no model that is too slow for a page."""
        found = self.data.analysis.covariate_links
        links = found.quick if found.slow else found.result
        if links is None:
            return {
                "finding": f"Nothing was measured on these {self.thing}s.",
                "said": [],
                "links": [],
                "slow": False,
            }
        return self._parts("covariates", without_tables=("covariates",) if found.slow else ()) | {
            "finding": links.finding,
            "said": covariates_said(links)[1:],
            "links": [_shown(row) for row in links.table.to_dict("records")],
            "slow": found.slow,
        }

    def groups(self, sessions: pd.DataFrame | None = None) -> dict[str, Any]:
        """Return how the participants' groups compare; no model that is too slow for a page.

        sessions: how many of each group finished, where that is known.
        """
        found = self.data.analysis.group_comparison
        shown = found.quick if found.slow else found.result
        if shown is None:
            return {"finding": "There are no groups of participants to compare.", "said": [], "slow": False}
        return self._parts("groups", without_tables=("groups",) if found.slow else ()) | {
            "finding": shown.finding,
            "said": groups_said(shown)[1:],
            "left": "" if sessions is None else sessions_said(sessions),
            "means": _means(shown, sessions),
            "differences": [_compared(row, shown) for row in shown.of_kind("difference").to_dict("records")]
            or [_compared(row, shown) for row in shown.of_kind("model").to_dict("records")],
            "slow": found.slow,
        }

    def reliability(self) -> dict[str, Any]:
        """Return how far people agree, what the screening found, and what more ratings would bring."""
        summary = self.data.analysis.summary
        return self._parts("reliability") | {
            "finding": reliability_finding(summary),
            "headlines": headlines(summary),
            "findings": [*self.data.analysis.split_votes.found.sentences, *findings(summary)],
            "notes": in_sentences(summary["notes"]),
            "marked": len(summary["participants_flagged"] or []),
        }

    def _parts(
        self, name: str, *, without: Sequence[str] = (), without_tables: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the plots and the tables of a view, but those named in `without` and `without_tables`."""
        notes = self.data.analysis.summary["notes"]
        wanted = [plots.plot_named(kind) for kind in PLOTS_OF[name] if kind not in without]
        figures = [
            figure(
                kind,
                table,
                f"{self.base}plots/{kind.name}.csv?{self.query}",
                caution(kind.name, notes),
            )
            for kind, table in plots.drawable_of(wanted, self.data)
        ]
        tables = [
            page_table(
                TABLES[table].format(thing=self.thing),
                frame,
                f"{self.base}tables/{table}.csv?{self.query}",
                table_words(table, notes),
            )
            for table in (shown_table(one, notes) for one in TABLES_OF[name])
            if table not in (*without, *without_tables)
            and (frame := getattr(self.data.analysis, table)) is not None
        ]
        return {"figures": figures, "tables": tables}


def _means(shown: Comparison, sessions: pd.DataFrame | None) -> list[dict[str, str]]:
    """Return each group's mean as text, with how many started and finished where that is known."""
    started = {} if sessions is None else sessions.set_index("group").to_dict("index")
    return [
        {
            "group": row["group"],
            "started": str(started.get(row["group"], {}).get("started", "")),
            "finished": str(started.get(row["group"], {}).get("finished", "")),
            "people": str(row["participants"]),
            "ratings": str(row["n"]),
            "mean": score(row["estimate"]),
            "interval": interval(row["ci_low"], row["ci_high"]),
        }
        for row in shown.of_kind("mean").to_dict("records")
    ]


def _compared(row: Mapping[Any, Any], shown: Comparison) -> dict[str, str]:
    """Return the difference of two groups as text: by people's means where they may be compared, and by the model."""
    by_means = row["kind"] == "difference"
    model = [
        of
        for of in shown.of_kind("model").to_dict("records")
        if (of["group"], of["against"]) == (row["group"], row["against"])
    ]
    return {
        "pair": f"{row['group']} − {row['against']}",
        **{f"means_{name}": text for name, text in _numbers(row if by_means else None).items()},
        **{f"model_{name}": text for name, text in _numbers(model[0] if model else None).items()},
        "g": score(row["g"]) if by_means else "–",
    }


def _numbers(row: Mapping[Any, Any] | None) -> dict[str, str]:
    if row is None:
        return dict.fromkeys(("difference", "interval", "df", "p"), "–")
    return {
        "difference": "–" if pd.isna(row["estimate"]) else f"{row['estimate']:+.2f}",
        "interval": interval(row["ci_low"], row["ci_high"]),
        "df": score(row["df2"], 1),
        "p": "< 0.001" if row["p_holm"] < MIN_P else score(row["p_holm"], 3),
    }


def _shown(row: Mapping[Any, Any]) -> dict[str, str]:
    """Return one covariate's numbers as text."""
    return {
        "name": label(row["covariate"]),
        "items": str(row["items"]),
        **{name: score(row[name]) for name in ("plcc", "srocc", "rmse_star")},
        **{
            f"{name}_interval": interval(row[f"{name}_low"], row[f"{name}_high"])
            for name in ("plcc", "srocc")
        },
        "within": score(row["plcc_within"]),
        "outliers": score(row["outlier_ratio"]),
        "p": "< 0.001" if row["p_holm"] < MIN_P else score(row["p_holm"], 3),
    }


def method(analysis: Analysis) -> dict[str, Any]:
    """Return the method of what an analysis holds in words, and what the numbers were made from."""
    return {"glossary": glossary_of(analysis), "stamp": stamp_rows(analysis.stamp)}


def view_links(
    request: HttpRequest, data: plots.PlotData, here: str, query: str, prefix: str
) -> dict[str, Any]:
    """Return the title of a view and the links to all of them: (title, address, whether it is this one).

    prefix: of the addresses' names.
    """
    match = request.resolver_match
    place = match.kwargs if match else {}
    names = dict(VIEWS)
    if (
        data.analysis.condition_table is None
        and data.plane is None
        and not data.analysis.factor_effects.factors
    ):
        del names["results_conditions"]
    if not data.analysis.covariate_links.names:
        del names["results_covariates"]
    if len(data.analysis.group_comparison.groups) < 2:
        del names["results_groups"]
    links = [
        (title, f"{reverse(prefix + name, kwargs=place)}?{query}", name == here)
        for name, title in names.items()
    ]
    return {"view_title": VIEWS[here], "views": links}


def known_plot(name: str, file_format: str) -> plots.Plot[plots.PlotData]:
    """Return the plot of an address. Raises Http404 for none of that name or format."""
    try:
        if file_format != "csv" and file_format not in plots.FORMATS:
            raise KeyError(file_format)
        return plots.plot_named(name)
    except KeyError as error:
        raise Http404(f"no plot {name}.{file_format}") from error


def drawn(kind: plots.Plot[plots.PlotData], data: plots.PlotData, file_format: str) -> bytes | None:
    """Return a drawing, or its numbers as CSV; None where there is nothing to draw."""
    numbers = kind.table(data)
    if numbers is None or numbers.empty:
        return None
    return csv_bytes(numbers) if file_format == "csv" else plots.render(kind.draw, numbers, file_format)


def table_response(data: plots.PlotData, name: str, file_name: str) -> HttpResponse:
    """Return one of the tables as CSV. Raises Http404 for one that is not there."""
    frame = getattr(data.analysis, name) if name in TABLES or name == "mos" else None
    if frame is None:
        raise Http404(f"no table {name}")
    return file_response(csv_bytes(frame), file_name)
