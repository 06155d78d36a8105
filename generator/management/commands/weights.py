"""weights list | fetch NAME | verify [NAME]: the networks, where each comes from, how it was checked."""

from __future__ import annotations

import textwrap
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from generator.management.base import PlainCommand
from generator.management.names import count


class Command(PlainCommand):
    """List, fetch and check networks."""

    help = "List the networks, fetch one, or compare its layers with another file of the same network."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the three subcommands."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="list the networks: origin, licence, and whether each is fetched")
        fetch = actions.add_parser("fetch", help="fetch a network and check its hash")
        fetch.add_argument("name", metavar="NAME", help="a name from `weights list`")
        verify = actions.add_parser("verify", help="compare each layer with another file of the same network")
        verify.add_argument(
            "name", metavar="NAME", nargs="?", help="the network (default: all that are fetched)"
        )

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
                "fetched"
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
        from generator.nst.recipes import networks
        from generator.nst.weights import registry

        entry = networks.entry(name)
        if not registry.cached(name, settings.WEIGHTS_DIR).exists():
            self.stderr.write(f"fetching {name} ({entry.megabytes} MB) ...")
        self.stdout.write(f"{name}: {registry.fetch(name, settings.WEIGHTS_DIR)}")

    def _verify(self, name: str | None) -> None:
        from generator.nst import available
        from generator.nst.weights import registry

        here = [
            entry.name for entry in available() if registry.cached(entry.name, settings.WEIGHTS_DIR).exists()
        ]
        if not (name or here):
            raise CommandError("no network is in the cache yet: run `weights fetch vgg16`", returncode=2)
        differing = 0
        for network in [name] if name else here:
            self.stdout.write(network)
            for check in registry.verify(network, settings.WEIGHTS_DIR):
                differing += check.status == "differs"
                self.stdout.write(f"  {check.layer:8} {check.status:12} {check.detail}")
        if differing:
            raise CommandError(
                f"{count(differing, 'layer')} differ: delete the file from {settings.WEIGHTS_DIR} and fetch it again"
            )
