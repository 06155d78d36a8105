"""weights list | fetch NAME | verify [NAME]: the networks at hand, where each comes from, how it was checked."""

from __future__ import annotations

import textwrap
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """List, fetch and check networks."""

    help = "List the networks, bring one into the cache, or compare its layers with another file of the same network."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the three subcommands."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="where each network is from, its licence, and whether it is here")
        fetch = actions.add_parser("fetch", help="bring a network into the cache and check its hash")
        fetch.add_argument("name", metavar="NAME", help="a name of `weights list`")
        verify = actions.add_parser("verify", help="say which layers match another file of the same network")
        verify.add_argument("name", metavar="NAME", nargs="?", help="all that are in the cache if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand; exit 2 for a name or file that cannot be used, 1 for layers that differ."""
        from generator.nst.recipes.errors import WeightsError

        try:
            match options["action"]:
                case "list":
                    self._list()
                case "fetch":
                    self._fetch(options["name"])
                case "verify":
                    self._verify(options["name"])
        except WeightsError as error:
            raise CommandError(str(error), returncode=2) from error

    def _list(self) -> None:
        from generator.nst import available
        from generator.nst.weights import registry

        for entry in available():
            here = (
                "here"
                if registry.cached(entry.name, settings.WEIGHTS_DIR).exists()
                else f"{entry.megabytes} MB to fetch"
            )
            self.stdout.write(f"{entry.name} ({here})")
            for title, text in (
                ("from", entry.origin),
                ("credit", f"{entry.credit}; {entry.licence}"),
                ("checked", entry.checked),
            ):
                body = textwrap.fill(text, 100, subsequent_indent=" " * 12)
                self.stdout.write(f"  {title + ':':9} {body}")

    def _fetch(self, name: str) -> None:
        from generator.nst.weights import registry

        self.stdout.write(f"{name}: {registry.fetch(name, settings.WEIGHTS_DIR)}")

    def _verify(self, name: str | None) -> None:
        from generator.nst import available
        from generator.nst.weights import registry

        here = [
            entry.name for entry in available() if registry.cached(entry.name, settings.WEIGHTS_DIR).exists()
        ]
        if not (name or here):
            raise CommandError("no network is in the cache: `weights fetch vgg16` brings one", returncode=2)
        differing = 0
        for network in [name] if name else here:
            self.stdout.write(network)
            for check in registry.verify(network, settings.WEIGHTS_DIR):
                differing += check.status == "differs"
                self.stdout.write(f"  {check.layer:8} {check.status:12} {check.detail}")
        if differing:
            raise CommandError(
                f"{differing} layers differ: delete the file from {settings.WEIGHTS_DIR} and fetch it again"
            )
