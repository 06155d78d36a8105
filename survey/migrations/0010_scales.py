"""Scales of questions. Triggers refuse a rating that is not on its question's scale, whatever statement writes it.

SQLite loses a table's triggers when a migration rebuilds the table, and refuses to rebuild a table that a trigger of
another one reads: whoever alters Question or Rating runs `unwatch` before it and `watch` after it.
"""

from django.db import migrations, models

_OFF = """
    new.value NOT BETWEEN {0}.low AND {0}.high OR new.first_value NOT BETWEEN {0}.low AND {0}.high
    OR abs((new.value - {0}.low) / {0}.step - round((new.value - {0}.low) / {0}.step)) > 1e-6
    OR abs((new.first_value - {0}.low) / {0}.step - round((new.first_value - {0}.low) / {0}.step)) > 1e-6
"""
SQLITE = [
    f"""
    CREATE TRIGGER {name} BEFORE {event} ON survey_rating BEGIN
        SELECT raise(ABORT, 'a rating is not on the scale of its question')
        FROM survey_question question WHERE question.id = new.question_id AND ({_OFF.format("question")});
    END
    """
    for name, event in (
        ("rating_kept_on_scale", "INSERT"),
        ("rating_stays_on_scale", "UPDATE OF value, first_value, question_id"),
    )
]
POSTGRESQL = [
    f"""
    CREATE FUNCTION rating_check_scale() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM survey_question question WHERE question.id = new.question_id AND ({_OFF.format("question")}))
        THEN
            RAISE EXCEPTION 'a rating is not on the scale of its question' USING ERRCODE = 'check_violation';
        END IF;
        RETURN new;
    END $$
    """,
    """
    CREATE TRIGGER rating_on_scale BEFORE INSERT OR UPDATE OF value, first_value, question_id ON survey_rating
    FOR EACH ROW EXECUTE FUNCTION rating_check_scale()
    """,
]
UNDO = {
    "sqlite": ["DROP TRIGGER IF EXISTS rating_kept_on_scale", "DROP TRIGGER IF EXISTS rating_stays_on_scale"],
    "postgresql": [
        "DROP TRIGGER IF EXISTS rating_on_scale ON survey_rating",
        "DROP FUNCTION IF EXISTS rating_check_scale",
    ],
}


def watch(apps, schema_editor):
    unwatch(apps, schema_editor)
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def unwatch(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement)



class Migration(migrations.Migration):

    dependencies = [
        ('generator', '0003_blends'),
        ('survey', '0009_running_counts'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='rating',
            name='rating_value_1_to_5',
        ),
        migrations.RemoveConstraint(
            model_name='rating',
            name='rating_first_value_1_to_5',
        ),
        migrations.RemoveConstraint(
            model_name='stimulus',
            name='stimulus_expected_1_to_5',
        ),
        migrations.AddField(
            model_name='question',
            name='high',
            field=models.FloatField(db_default=5, default=5, help_text="the scale's high end"),
        ),
        migrations.AddField(
            model_name='question',
            name='low',
            field=models.FloatField(db_default=1, default=1, help_text="the scale's low end"),
        ),
        migrations.AddField(
            model_name='question',
            name='step',
            field=models.FloatField(blank=True, db_default=1, default=1, help_text='of the scale; null: it is continuous', null=True),
        ),
        migrations.AlterField(
            model_name='question',
            name='labels',
            field=models.JSONField(help_text='of each category, low end first, or of the two ends'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='first_value',
            field=models.FloatField(),
        ),
        migrations.AlterField(
            model_name='rating',
            name='value',
            field=models.FloatField(),
        ),
        migrations.AlterField(
            model_name='stimulus',
            name='expected',
            field=models.FloatField(blank=True, help_text='the answer of a gold or a trap', null=True),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.CheckConstraint(condition=models.Q(('high__lte', 1000000000000.0), ('low__gte', -1000000000000.0), ('low__lt', models.F('high'))), name='question_low_below_high'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.CheckConstraint(condition=models.Q(('step__isnull', True), models.Q(('step__gt', 0), ('step__lte', 1000000000000.0)), _connector='OR'), name='question_step_above_0'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('value__gte', -1000000000000.0), ('value__lte', 1000000000000.0)), name='rating_value_is_a_number'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('first_value__gte', -1000000000000.0), ('first_value__lte', 1000000000000.0)), name='rating_first_value_is_a_number'),
        ),
        migrations.AddConstraint(
            model_name='stimulus',
            constraint=models.CheckConstraint(condition=models.Q(('expected__isnull', True), models.Q(('expected__gte', -1000000000000.0), ('expected__lte', 1000000000000.0)), _connector='OR'), name='stimulus_expected_is_a_number'),
        ),
        migrations.RunPython(watch, unwatch),
    ]
