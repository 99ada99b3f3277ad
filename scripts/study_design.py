"""`fascnet study-design` from a checkout, installed or not: how many subjects a study needs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fascnet.commands.main import main

# Guarded: worker processes import this file again.
if __name__ == "__main__":
    main(["study-design", *sys.argv[1:]])
