"""`fascnet import-labels` from a checkout, installed or not."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fascnet.commands.main import main

if __name__ == "__main__":
    main(["import-labels", *sys.argv[1:]])
