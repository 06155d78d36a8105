"""What columns are called: synonyms of the tidy table's columns, in any case."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

REQUIRED: Final = ("participant", "item", "rating")
TEXT: Final = ("question", "content", "style", "condition", "phase", "reference")
NUMBERS: Final = ("repeat", "rt_ms", "position", "expected")
STATISTICS: Final = ("mean", "sd", "n")
ROLES: Final = (*REQUIRED, *TEXT, *NUMBERS, *STATISTICS)


INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)


def plain(name: str) -> str:
    """Return a column's name for comparison: small letters and digits, ``_`` between words (``WorkerId``: worker_id)."""
    text = unicodedata.normalize("NFKD", INVISIBLE.sub("", name))
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[\W_]+", "_", text.casefold()).strip("_")


def _words(text: str) -> tuple[str, ...]:
    return tuple(map(plain, text.split()))


SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "participant": _words(
        """
        participant subject subj observer rater worker user assessor viewer listener tester judge respondent
        response_id annotator evaluator person panelist panellist session pid uid userid email e_mail
        email_address username prolific prolific_pid mturk_worker voter reviewer expert taster test_subject
        participant_private teilnehmer versuchsperson vp vpn proband bewerter beobachter nutzer pseudonym sujet
        observateur juge evaluateur pseudonyme sujeto participante observador juez evaluador partecipante giudice
        deelnemer deltagare uczestnik участник испытуемый 被験者 参加者 参与者 被试 참가자 sub ss consumer nickname
        record case session_uuid
        """
    ),
    "item": _words(
        """
        item stimulus stimuli stim pvs image img picture photo file filename filepath path video clip sample
        image_file image_path video_file file_path test_item condition_file processed_video rating_stimulus pic
        picture_file distorted_image wav audio sound sentence word movie product prod bild bilddatei datei dateiname reiz foto
        produkt fichier imagen archivo estimulo element produit imagem immagine stimolo afbeelding obraz изображение
        画像 图像 图片 이미지
        """
    ),
    "rating": _words(
        """
        rating ratings score scores vote votes response opinion opinion_score os acr mark value answer grade
        rate rating_value score_value individual_score raw_score rating_score rating_response slider_response
        likert_response slider_value mos_rating user_rating subjective_score judgment judgement ratingscore key_resp_keys stars
        points bewertung wertung punktzahl stimme urteil antwort evaluation jugement puntuacion valoracion
        calificacion voto respuesta reponse valutazione avaliação beoordeling betyg ocena оценка 評価 评分 평점
        """
    ),
    "question": _words(
        """
        question question_key dimension attribute criterion criteria aspect scale_name rating_type frage
        dimension_name merkmal critere pregunta domanda pergunta rating_scale descriptor statement
        """
    ),
    "condition": ("condition", "conditions", "hrc", "bedingung", "condicion"),
    "content": ("content", "src"),
    "style": ("style",),
    "phase": ("phase",),
    "reference": ("reference",),
    "repeat": ("repeat", "repetition", "replicate", "replication", "wiederholung"),
    "rt_ms": _words(
        """
        rt_ms rt reaction_time response_time rating_time time_ms rt_s rt_sec rt_seconds reaction_time_ms
        response_time_ms reaction_time_s response_time_s duration_ms reaktionszeit
        """
    ),
    "position": ("position",),
    "expected": ("expected",),
    "mean": _words(
        """
        mean mos dmos avg average mean_opinion_score mean_score mean_rating average_score average_rating avg_score
        avg_rating mos_score mittelwert moyenne media promedio durchschnitt m
        """
    ),
    "sd": _words(
        """
        sd std stdev stddev std_dev standard_deviation sd_score std_score sd_rating mos_std mos_sd std_mos
        sd_mos standardabweichung ecart_type desviacion
        """
    ),
    "n": _words(
        """
        n count counts nb num number votes n_votes num_votes n_ratings num_ratings n_raters raters
        n_participants number_of_votes number_of_ratings total anzahl nombre
        """
    ),
}
"""Role -> its names as ``plain`` writes them; the role itself comes first."""

SUMMARY_WORDS: Final = frozenset(
    _words(
        """
        anzahl average average_score averages avg ci ci95 ci_95 ci_high ci_low col_mean count dmos
        durchschnitt ecart_type gesamt grand_mean grand_total max maximum mean mean_opinion_score mean_score
        means media median min minimum mittel mittelwert mos moyenne n overall_mean promedio row_mean sd se
        sem somme standard_deviation standardabweichung std std_dev stddev stdev sum suma summe total
        total_general totals var variance m mode range 95_ci 95_confidence_interval score_mean average_rating mean_rating
        mean_score medie média media gemiddelde medelvärde snitt średnia среднее 平均 ø
        """
    )
)
"""Names of rows and columns that sum up the others."""

STATISTIC_WORDS: Final = {
    "median": {"median"},
    "min": {"min", "minimum"},
    "max": {"max", "maximum"},
    "sum": {"sum", "total", "totals", "summe", "gesamt", "somme", "suma", "grand_total", "total_general"},
    "count": {"n", "count", "anzahl"},
    "std": {"sd", "std", "stdev", "stddev", "std_dev", "standard_deviation", "standardabweichung"},
}
"""Which statistic a summary word means; others mean the mean."""

MAYBE_NAMES: Final = frozenset(
    {"max", "min", "m", "n", "media", "medie", "ø", "mode", "range", "var", "se", "ci"}
)
"""Those of them that people and items may be called, too."""

RESPONSE_WORDS: Final = _words(
    """
    timestamp zeitstempel horodateur marca_temporal submitdate date_submitted last_page lastpage start_language
    startlanguage datum_abgeschickt letzte_seite start_sprache zufallsstartwert date_de_soumission derniere_page
    langue_de_depart fecha_de_envio ultima_pagina lenguaje_inicial collector_id custom_data_1 completion_time
    last_modified_time start_date_utc submit_date_utc network_id questnnr lastdata missrel
    redcap_event_name redcap_survey_identifier recorded_date distribution_channel user_language interviewtime time_sum
    """
)
"""Names of columns that programs for surveys write beside the answers of one person."""

NO_RATINGS: Final = frozenset(
    _words(
        """
            unnamed_0 unnamed last_page date_submitted date_last_action start_language date_started rownames row_names
        age alter block browser consent country date datestamp day device distribution_channel duration
        duration_in_seconds edad education end_date end_time enddate experience external_reference finished
        gender geschlecht group gruppe height horodateur id idx index ip_address ipaddr ipaddress language
        lastpage location_latitude location_longitude marca_temporal month nationality no nr number order
        progress q_recaptcha_score recipient_email recipient_first_name recipient_last_name recorded_date
        recordeddate refurl response_id row run screen seed session sex start_date start_time startdate
        startlanguage status submitdate time timestamp trial trial_index user_language version width year
        layer ratio size seed step steps iterations iteration bitrate bit_rate qp crf resolution fps frame_rate framerate
        snr psnr ssim vmaf lpips bpp distance viewing_distance screen_size expertise batch
        zeitstempel lfdn first_name last_name name_of_respondent years_of_experience
        """
    )
    + RESPONSE_WORDS
)
"""Names of columns of a wide table that hold no ratings, whatever their numbers look like."""

QUESTION_WORDS: Final = frozenset(
    _words(
        """
        acceptability aesthetic aesthetics aesthetik alignment annoyance appeal arousal attractiveness
        audio_quality beauty clarity color colorfulness colour colourfulness consistency content enjoyment
        fidelity gefallen image_quality immersion intelligibility like liking naturalness overall
        overall_quality pleasantness preference preservation qualitaet quality realism sharpness similarity
        style valence video_quality
        """
    )
)
"""Names that say what was asked, where the columns of a wide table come in groups."""

_SUFFIX: Final = re.compile(
    r"(?:_?(?:ids?|names?|no|nr|num|number|code|key|label|index|idx)|_(?:pseudonym|url|file|filename|path))$"
)
_PREFIX: Final = re.compile(r"^(?:input|answer|id|name|spreadsheet)_(?=.)")
"""What Mechanical Turk and Gorilla write before each name, and what people write before what they name."""

_OF_SCALE: Final = re.compile(r"\s*\(\s*-?\d+\s*(?:-|–|/|\.\.|to|bis|à|a)\s*\d+[^)]*\)\s*$")
_BESIDE: Final = re.compile(
    r"(?:group_?time|time)_?\d+|\w+_(?:complete|first_click|last_click|page_submit|click_count)|\w*q\w*time"
)
_WITH_SUFFIX: Final = frozenset(
    {"participant", "item", "question", "condition", "content", "style", "reference"}
)
_WEAK: Final = frozenset(
    _words(
        """
        answer clip e_mail element email email_address evaluation file_path filepath grade mark path rate
        response sample session user username value case record session_uuid stars points antwort respuesta
        reponse product prod produkt produit word sentence sound audio wav movie pic foto sub ss
        """
    )
)
"""Names that give way to any other name of their role."""


def role_of(name: str) -> str | None:
    """Return the role that a column's name stands for, None for any other name."""
    text = _core(name)
    for role, names in SYNONYMS.items():
        if text in names:
            return role
    stem = _SUFFIX.sub("", text)
    for role in _WITH_SUFFIX:
        if stem in SYNONYMS[role]:
            return role
    return None


def rank(name: str, role: str) -> int:
    """Return how near a name is to its role: 0 the role itself, 1 in another case, 2 a synonym, 3 a weak one."""
    if name == role:
        return 0
    return (
        1
        if _core(name) == role
        else 3
        if _core(name) in _WEAK or _SUFFIX.sub("", _core(name)) in _WEAK
        else 2
    )


def _core(name: str) -> str:
    """Return a name for comparison without the scale behind it (``Rating (1-5)``) and Mechanical Turk's prefixes."""
    return _PREFIX.sub("", plain(_OF_SCALE.sub("", name)))


def holds_no_ratings(name: str) -> bool:
    """Whether a column of a wide table holds no ratings by its name."""
    text = plain(name)
    summary = text in SUMMARY_WORDS - MAYBE_NAMES
    return summary or text in NO_RATINGS or _BESIDE.fullmatch(text) is not None


#: An x with a bar, and the sign of averages. `plain` takes the bar off.
_MEAN_SIGNS: Final = ("x\u0304", "X\u0304", "\u00d8", "\u2300")


def is_summary(name: str) -> bool:
    """Whether a name is that of a row or column of means, sums or the like."""
    return plain(name) in SUMMARY_WORDS or unicodedata.normalize("NFC", name).strip() in _MEAN_SIGNS
