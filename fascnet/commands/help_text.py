"""What `--help` prints: a verb's keys with their comments, read from the config files as text.

Nothing slow is imported: neither Hydra nor torch.
"""

from __future__ import annotations

import re
from pathlib import Path

_DEFAULT = re.compile(r"^  - (?:override )?/?([\w/]+)(?:@([\w.]+))?: (\w+)$", flags=re.MULTILINE)


def describe_keys(root: Path, name: str) -> str:
    """Return the keys of a config file with their comments, then those of the groups it is composed of.

    Args:
        root: folder of the Hydra tree.
        name: the file's name without suffix, such as `train`.
    """
    text = (root / f"{name}.yaml").read_text(encoding="utf-8").strip()
    parts = [text]
    for group, place, chosen in _DEFAULT.findall(text):
        # Hydra asks for the place too where a group does not stand in its own.
        name = f"{group}@{place}" if place else group
        parts += _describe_group(root, group, name, place if place else group.replace("/", "."), chosen)
    return "\n".join(parts)


def _describe_group(root: Path, group: str, name: str, place: str, chosen: str) -> list[str]:
    """Describe a group: its options, and the keys of the chosen one with their final values."""
    options = sorted(file.stem for file in (root / group).glob("*.yaml"))
    lines = ["", f"# {name}=… is one of: {', '.join(options)}"]
    path = root / group / f"{chosen}.yaml"
    if not path.is_file():
        return lines
    text = _read(path)
    lines.append(f"# with {name}={chosen}: {_find_title(text)}".rstrip(": "))
    for key, (comments, value) in _collect_keys(path).items():
        lines += [*comments, f"{place}.{key}:{value}"]
    for inner, _, option in _DEFAULT.findall(text):
        deeper = f"{group}/{inner}"
        lines += _describe_group(root, deeper, deeper, f"{place}.{inner}", option)
    return lines


def _read(path: Path) -> str:
    """Return a file's text without the line that tells Hydra where it belongs."""
    text = path.read_text(encoding="utf-8")
    return text.partition("\n")[2] if text.startswith("# @package") else text


def _find_title(text: str) -> str:
    """Return a file's first line when it says what the file is, not what its first key is; else nothing."""
    first, second = [*text.splitlines(), "", ""][:2]
    says_what = first.startswith("# ") and second.startswith(("#", "defaults:"))
    return first.removeprefix("# ") if says_what else ""


def _collect_keys(path: Path) -> dict[str, tuple[list[str], str]]:
    """Map dotted keys to (comments, value text): those of the base in the same folder, then the own."""
    text = _read(path)
    keys: dict[str, tuple[list[str], str]] = {}
    for base in re.findall(r"^  - (?!_self_)(\w+)$", text, flags=re.MULTILINE):
        keys |= _collect_keys(path.with_name(f"{base}.yaml"))
    comments: list[str] = []
    parents: list[str] = []
    for line in text.splitlines()[1 if _find_title(text) else 0 :]:
        found = re.match(r"^( *)([\w]+):(.*)$", line)
        if line.lstrip().startswith("#"):
            comments.append(line.strip())
        elif found and found.group(2) != "defaults":
            parents = [*parents[: len(found.group(1)) // 2], found.group(2)]
            if found.group(3):
                keys[".".join(parents)] = (comments, found.group(3))
            comments = []
        else:
            comments = []
    return keys
