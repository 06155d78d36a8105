"""The audit log, and triggers that refuse to change or delete its rows.

SQLite loses a table's triggers when a migration rebuilds the table: whoever alters AuditEntry runs `protect` after it.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

REFUSAL = "the audit log is append-only"
SQLITE = [
    f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON survey_auditentry BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for verb in ("update", "delete")
]
POSTGRESQL = [
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON survey_auditentry "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
]
UNDO = {
    "sqlite": ["DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete"],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_append_only ON survey_auditentry",
        "DROP FUNCTION IF EXISTS audit_refuse",
    ],
}


def protect(apps, schema_editor):
    unprotect(apps, schema_editor)
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def unprotect(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("survey", "0002_archive")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("who", models.CharField(help_text="a user name, or (command)", max_length=150)),
                (
                    "slug",
                    models.CharField(blank=True, help_text="the study's name at that time", max_length=50),
                ),
                ("act", models.CharField(max_length=40)),
                ("detail", models.JSONField(default=dict)),
                (
                    "study",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit",
                        to="survey.study",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("who", ""), _negated=True) & models.Q(("act", ""), _negated=True),
                        name="audit_entry_says_who_and_what",
                    )
                ],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
