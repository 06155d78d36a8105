"""When a study closed, kept by triggers: whatever statement closes it, the database notes the time.

SQLite loses a table's triggers when a migration rebuilds the table: whoever alters Study so runs `watch` after it.
"""

from django.db import migrations, models
from django.db.models.functions import Coalesce

SQLITE = [
    """
    CREATE TRIGGER study_closed AFTER UPDATE ON survey_study WHEN NEW.state = 'closed' AND NEW.closed_at IS NULL BEGIN
        UPDATE survey_study SET closed_at = coalesce(OLD.closed_at, strftime('%Y-%m-%d %H:%M:%f', 'now'))
        WHERE id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER study_reopened AFTER UPDATE ON survey_study WHEN NEW.state <> 'closed' AND NEW.closed_at IS NOT NULL
    BEGIN UPDATE survey_study SET closed_at = NULL WHERE id = NEW.id; END
    """,
]
POSTGRESQL = [
    """
    CREATE FUNCTION study_note_closing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.state = 'closed' THEN
            NEW.closed_at := coalesce(NEW.closed_at, OLD.closed_at, clock_timestamp());
        ELSE
            NEW.closed_at := NULL;
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER study_closing BEFORE UPDATE ON survey_study FOR EACH ROW EXECUTE FUNCTION study_note_closing()",
]
UNDO = {
    "sqlite": ["DROP TRIGGER IF EXISTS study_closed", "DROP TRIGGER IF EXISTS study_reopened"],
    "postgresql": [
        "DROP TRIGGER IF EXISTS study_closing ON survey_study",
        "DROP FUNCTION IF EXISTS study_note_closing",
    ],
}


def watch(apps, schema_editor):
    unwatch(apps, schema_editor)
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        # No parameters: a `%` in the statement is its own.
        schema_editor.execute(statement, params=None)


def unwatch(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def mark_old_ones(apps, schema_editor):
    """Studies that closed earlier: nobody knows when, but long enough ago that no answer is on its way."""
    studies = apps.get_model("survey", "Study").objects.filter(state="closed")
    studies.update(closed_at=Coalesce("archived_at", "created_at"))


class Migration(migrations.Migration):
    dependencies = [("survey", "0004_api_tokens")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="closed_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="set by the database's own triggers", null=True
            ),
        ),
        migrations.RunPython(mark_old_ones, migrations.RunPython.noop),
        migrations.RunPython(watch, unwatch),
    ]
