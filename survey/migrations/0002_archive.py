from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("survey", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="archived_at",
            field=models.DateTimeField(
                blank=True, help_text="off the list; nothing is deleted", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="study",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("archived_at__isnull", True), ("state__in", ["draft", "closed"]), _connector="OR"
                ),
                name="study_archived_takes_nobody",
            ),
        ),
    ]
