from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('survey', '0021_orders'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='participant',
            index=models.Index(fields=['study', 'state', 'group', 'order_row', 'is_preview'], name='participant_by_group'),
        ),
    ]
