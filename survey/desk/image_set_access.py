"""Who may see and change which image set.

Admins all; owners theirs; whoever owns a study sees the set that its images are of. A set made by command belongs to
nobody: staff accounts see it, admins change it. Who only reads a study's results sees those, not how they were made.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.http import Http404

from generator.models import ImageSet, PlanRun, Upload
from survey.access.studies import own_studies
from survey.models import Stimulus


def may_make_sets(user: User | AnonymousUser) -> bool:
    """Say whether `user` may upload pictures and start plans: admins, and whom the group Researchers lets."""
    return user.has_perm("generator.add_imageset")


def readable_sets(user: User | AnonymousUser) -> QuerySet[ImageSet]:
    """Return the image sets that `user` may look at."""
    if not user.is_authenticated:
        return ImageSet.objects.none()
    if user.is_superuser:
        return ImageSet.objects.all()
    shown = Stimulus.objects.filter(study__in=own_studies(user), cell__isnull=False).values("cell__image_set")
    theirs = Q(owner=user) | Q(pk__in=shown)
    return ImageSet.objects.filter(theirs | Q(owner=None) if user.is_staff else theirs)


def readable_set(user: User | AnonymousUser, slug: str) -> ImageSet:
    """Return one set; Http404 alike for one that is not there and one that is not theirs to see."""
    return _one(readable_sets(user), slug)


def own_sets(user: User | AnonymousUser) -> QuerySet[ImageSet]:
    """Return the image sets that `user` may stop and take up."""
    if not user.is_authenticated:
        return ImageSet.objects.none()
    return ImageSet.objects.all() if user.is_superuser else ImageSet.objects.filter(owner=user)


def own_set(user: User | AnonymousUser, slug: str) -> ImageSet:
    """Return one set to change it; Http404 as in `readable_set`."""
    return _one(own_sets(user), slug)


def own_run(user: User | AnonymousUser, pk: int) -> PlanRun:
    """Return a plan that `user` gave, any for an admin; Http404 otherwise."""
    runs = PlanRun.objects.select_related("image_set")
    if not user.is_authenticated:
        raise Http404("nobody's plan")
    found = (runs if user.is_superuser else runs.filter(owner=user)).filter(pk=pk).first()
    if found is None:
        raise Http404(f"no plan {pk}")
    return found


def own_upload(user: User | AnonymousUser, pk: int) -> Upload:
    """Return a picture that `user` uploaded, any for an admin; Http404 otherwise."""
    uploads = Upload.objects.select_related("source")
    if not user.is_superuser:
        uploads = uploads.filter(owner_id=user.pk)
    found = uploads.filter(pk=pk).first()
    if found is None or not may_make_sets(user):
        raise Http404(f"no picture {pk}")
    return found


def _one(sets: QuerySet[ImageSet], slug: str) -> ImageSet:
    found = sets.filter(slug=slug).first()
    if found is None:
        raise Http404(f"no image set {slug}")
    return found
