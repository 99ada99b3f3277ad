"""Damages recordings, manifests and labels, reads each in a process of its own kind, and counts what happens.

    python scripts/damage_inputs.py REAL_FOLDER [inputs=2000] [seed=0]

Each input is a real recording that was cut or had bits flipped, or a manifest or label file with such damage.
It has to be read, or refused with one line that names the file, within 10 s and 1 GB. Prints a row a kind and
ends with exit code 1 when anything crashed, hung, grew beyond 1 GB, or was refused in another way.
"""

from __future__ import annotations

import multiprocessing as mp
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from key_values import read_key_values, read_whole

from fascnet.errors import SettingError

LIMIT_S = 10.0
LIMIT_MB = 1024
FLIPS = (1, 1, 2, 8, 64)
RECORDINGS = {".mp4", ".mov", ".avi", ".gif", ".mha", ".dcm", ".npz"}
TEXT_SHARE = 0.5
"""Half of the inputs are manifests and label files: they are quick."""

MANIFEST = (
    b"clip_id,path,subject_id,muscle,side,fps,mm_per_px,split\n"
    b"a,a.mp4,s1,biceps,L,30,0.1,train\nb,b.mp4,s2,biceps,R,,0.09,val\n"
)
LABELS = (
    b'{"format": "fascnet-labels/1", "clip_id": "a", "rater": "anna", "examined": [[0.0, 10.0]], "events": ['
    b'{"onset_s": 2.57, "offset_s": 2.97, "peak_s": 2.63, "label": "fasciculation", "certainty": "definite", '
    b'"region": {"polygon": [[210, 118], [268, 122], [262, 160]]}}]}'
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input: `read`, `refused`, or what went wrong."""

    kind: str
    word: str
    seconds: float
    megabytes: float
    detail: str = ""


def damage(data: bytes, rng: random.Random) -> bytes:
    """Cut, or flip bits: half of the time in the first kilobyte, where headers are."""
    if rng.random() < 0.4:
        return data[: rng.randrange(len(data))]
    out = bytearray(data)
    reach = min(len(out), 1024) if rng.random() < 0.5 else len(out)
    for _ in range(rng.choice(FLIPS)):
        out[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(out)


def read_input(path: Path) -> None:
    """Read an input to its end, as `check` would."""
    from fascnet.data.clip_set.manifest import read_manifest  # noqa: PLC0415
    from fascnet.data.labelling.labels import read_labels  # noqa: PLC0415
    from fascnet.data.recording.recordings import open_recording  # noqa: PLC0415

    if path.name == "manifest.csv":
        read_manifest(path.parent)
    elif path.suffix == ".json":
        read_labels(path)
    else:
        for _ in open_recording(path, fps=25.0).frames():
            pass


def serve(pipe: Connection) -> None:
    """Read inputs until told to stop."""
    from fascnet.errors import FascnetError  # noqa: PLC0415

    while (path := pipe.recv()) is not None:
        try:
            read_input(path)
            word, detail = "read", ""
        except FascnetError as error:
            said = str(error)
            sound = "\n" not in said and (path.name in said or path.parent.name in said)
            word, detail = ("refused" if sound else "unclear"), said
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            word, detail = "crashed", repr(error)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send((word, detail, peak_mb))


class Reader:
    """A process that reads inputs; a new one after a crash, a hang or too much memory."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = mp.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._warm = False

    def read(self, path: Path, kind: str) -> Outcome:
        """Read one input and say what became of it."""
        began = time.monotonic()
        self._pipe.send(path)
        # The first input also pays for the imports.
        limit_s = LIMIT_S if self._warm else LIMIT_S + 60
        self._warm = True
        try:
            if not self._pipe.poll(limit_s):
                self._restart()
                return Outcome(kind, "hung", limit_s, 0.0, str(path))
            word, detail, peak_mb = self._pipe.recv()
        except (EOFError, ConnectionError):
            code = self._process.exitcode
            self._restart()
            return Outcome(kind, "crashed", time.monotonic() - began, 0.0, f"process ended with {code}")
        if peak_mb > LIMIT_MB:
            word, detail = "too large", f"{peak_mb:.0f} MB"
            self._restart()
        return Outcome(kind, word, time.monotonic() - began, peak_mb, detail)

    def _restart(self) -> None:
        self._process.kill()
        self._process.join()
        self._start()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def make_inputs(folder: Path, inputs: int, seed: int, home: Path) -> Iterator[tuple[Path, str]]:
    """Write damaged inputs one after the other; yield each with its kind."""
    rng = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in RECORDINGS)
    texts = (("manifest.csv", MANIFEST), ("a.anna.json", LABELS))
    for number in range(inputs):
        if number < inputs * TEXT_SHARE or not files:
            name, data = texts[number % 2]
            kind = name.rpartition(".")[2]
        else:
            source = files[number % len(files)]
            name, data, kind = (
                f"damaged{source.suffix.lower()}",
                source.read_bytes(),
                source.suffix.lower()[1:],
            )
        path = home / f"i{number}" / name
        path.parent.mkdir()
        path.write_bytes(damage(data, rng))
        yield path, kind
        path.unlink()
        path.parent.rmdir()


def main(arguments: list[str]) -> int:
    """Damage, read and print."""
    folder = Path(arguments[0]) if arguments else Path("nowhere")
    if not folder.is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    try:
        given = read_key_values(arguments[1:], {"inputs": "2000", "seed": "0"})
        n_inputs, seed = read_whole(given, "inputs", least=1), read_whole(given, "seed")
    except SettingError as error:
        print(f"damage_inputs: {error}", file=sys.stderr)
        return 2
    reader, outcomes = Reader(), []
    with tempfile.TemporaryDirectory() as home:
        for path, kind in make_inputs(folder, n_inputs, seed, Path(home)):
            outcomes.append(reader.read(path, kind))
    reader.stop()
    counts = Counter((outcome.kind, outcome.word) for outcome in outcomes)
    for kind in sorted({outcome.kind for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.kind == kind]
        words = ", ".join(f"{n} {word}" for (k, word), n in sorted(counts.items()) if k == kind)
        slowest, largest = max(o.seconds for o in own), max(o.megabytes for o in own)
        print(f"{kind:<6} {len(own):5d}: {words}; slowest {slowest:.1f} s, at most {largest:.0f} MB")
    wrong = [outcome for outcome in outcomes if outcome.word not in {"read", "refused"}]
    for outcome in wrong[:20]:
        print(f"{outcome.kind} {outcome.word}: {outcome.detail[:200]}")
    print(f"{len(outcomes)} damaged inputs, {len(wrong)} went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
