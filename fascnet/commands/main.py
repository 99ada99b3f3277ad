"""The console command: `fascnet VERB [hydra overrides]`.

Exit codes: 0 all done; 1 finished, but some clips failed or problems were found; 2 a wrong key, path or
value.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from fascnet import __version__
from fascnet.commands.config import compose_config, find_config_dir, name_module
from fascnet.commands.help_text import describe_keys
from fascnet.errors import FascnetError

VERBS = {
    "phantom": "simulate clips with known twitches",
    "phantom card": "set the phantom beside published figures and real clips",
    "implant": "move real clips by known twitches",
    "import-labels": "bring labels of other tools into a data set",
    "export-labels": "hand labels or predictions to a labelling tool",
    "check": "list a data set's problems",
    "train": "train a network on labelled clips",
    "predict": "find fasciculations in recordings",
    "benchmark": "compare predictions and raters with labels",
    "study-design": "say how many subjects a study needs",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit with its code."""
    try:
        code = run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has closed it, as `head` does; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run `VERB [overrides]` and return the exit code."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_describe_verbs())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"fascnet {__version__}")
        return 0
    words = 2 if " ".join(arguments[:2]) in VERBS else 1
    verb, overrides = " ".join(arguments[:words]), arguments[words:]
    if verb not in VERBS:
        return _refuse(f"there is no verb '{verb}'; choose one of: {', '.join(VERBS)}")
    if {"-h", "--help"} & set(overrides):
        print(_describe_verb(verb))
        return 0
    return _run_verb(verb, overrides)


def _run_verb(verb: str, overrides: list[str]) -> int:
    name = name_module(verb)
    try:
        config = compose_config(verb, overrides)
        module = importlib.import_module(f"fascnet.commands.{name}")
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
    lines += [f"  {verb:<13} {what}" for verb, what in VERBS.items()]
    lines += ["", "fascnet VERB --help shows the keys of a verb."]
    return "\n".join(lines)


def _describe_verb(verb: str) -> str:
    keys = describe_keys(find_config_dir(), name_module(verb))
    return f"fascnet {verb}: {VERBS[verb]}\n\nusage: fascnet {verb} [key=value ...]\n\n{keys}"
