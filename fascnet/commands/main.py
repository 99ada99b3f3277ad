"""The console command: `fascnet VERB [hydra overrides]`.

Exit codes: 0 all done; 1 finished, but some clips failed or problems were found; 2 a wrong key, path or
value.
"""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Sequence

from fascnet import __version__
from fascnet.commands.config import compose_config, find_config_dir
from fascnet.errors import FascnetError

VERBS = {
    "phantom": "simulate clips with known twitches",
    "check": "list a data set's problems",
    "train": "train a network on labelled clips",
    "predict": "find fasciculations in recordings",
    "benchmark": "compare predictions and raters with labels",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit with its code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run `VERB [overrides]` and return the exit code."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_describe_verbs())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"fascnet {__version__}")
        return 0
    if arguments[0] not in VERBS:
        return _refuse(f"there is no verb '{arguments[0]}'; choose one of: {', '.join(VERBS)}")
    if {"-h", "--help"} & set(arguments):
        print(_describe_verb(arguments[0]))
        return 0
    return _run_verb(*arguments)


def _run_verb(verb: str, *overrides: str) -> int:
    try:
        config = compose_config(verb, list(overrides))
        module = importlib.import_module(f"fascnet.commands.{verb}")
        return int(module.run(config))
    except FascnetError as error:
        return _refuse(f"{error}")
    except KeyboardInterrupt as stop:
        said = str(stop)
        print(f"fascnet: {said if said else 'stopped; what was already written is whole'}", file=sys.stderr)
        return 130


def _refuse(message: str) -> int:
    print(f"fascnet: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _describe_verbs() -> str:
    what_it_is = "finds fasciculations in muscle ultrasound. Research tool, not a medical device."
    lines = [f"fascnet {__version__}: {what_it_is}", "", "usage: fascnet VERB [key=value ...]", ""]
    lines += [f"  {verb:<10} {what}" for verb, what in VERBS.items()]
    lines += ["", "fascnet VERB --help shows the keys of a verb."]
    return "\n".join(lines)


def _describe_verb(verb: str) -> str:
    """Show a verb's keys with their comments: the config files, read as text so that nothing slow loads."""
    root = find_config_dir()
    text = (root / f"{verb}.yaml").read_text(encoding="utf-8").strip()
    parts = [f"fascnet {verb}: {VERBS[verb]}", "", f"usage: fascnet {verb} [key=value ...]", "", text]
    for group, chosen in re.findall(r"^  - (?:override )?(\w+): (\w+)$", text, flags=re.MULTILINE):
        options = sorted(file.stem for file in (root / group).glob("*.yaml"))
        parts += ["", f"# {group}=… is one of: {', '.join(options)}"]
        if chosen in options:
            keys = (root / group / f"{chosen}.yaml").read_text(encoding="utf-8").strip()
            parts += [f"# with {group}={chosen}:", f"{group}:", textwrap.indent(keys, "  ")]
    return "\n".join(parts)
