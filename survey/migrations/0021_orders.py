from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('survey', '0020_stored_about'),
    ]

    operations = [
        migrations.AddField(
            model_name='participant',
            name='block_order',
            field=models.JSONField(blank=True, help_text='the blocks by name, as this person got them', null=True),
        ),
        migrations.AddField(
            model_name='participant',
            name='order_row',
            field=models.PositiveSmallIntegerField(blank=True, help_text='of the Latin square, from 0; null without one', null=True),
        ),
        migrations.AddField(
            model_name='trial',
            name='block',
            field=models.PositiveSmallIntegerField(blank=True, help_text='1 for the first block of this participant; null without blocks', null=True),
        ),
    ]
