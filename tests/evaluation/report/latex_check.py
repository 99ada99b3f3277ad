"""What a LaTeX compiler would trip over, checked without one."""

from __future__ import annotations

import re

COMMANDS = {
    "addlinespace", "begin", "bottomrule", "caption", "centering", "end", "footnotesize", "label", "midrule",
    "scriptsize", "setlength", "tabcolsep", "textsuperscript", "toprule",
}  # fmt: skip


def check_source(text: str) -> list[list[str]]:
    """Check what a compiler would: braces, environments, dollars, cells a row. Returns the rows of cells."""
    plain = re.sub(r"(?<!\\)%.*", "", text)
    bare = plain.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    depth = 0
    for letter in bare:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", plain):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    assert bare.replace("\\$", "").count("$") % 2 == 0
    rows = []
    for columns, body in re.findall(
        r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", plain, flags=re.DOTALL
    ):
        for line in body.splitlines():
            if "\\\\" not in line:
                assert line in {"", "\\toprule", "\\midrule", "\\bottomrule"}, line
                continue
            cells = re.split(r"(?<!\\)&", line.split("\\\\")[0])
            assert len(cells) == len(columns), line
            rows.append([cell.strip() for cell in cells])
    outside = re.sub(r"\\[#%&_{}$,\\]", "", plain)
    assert not re.findall(r"[#~^_](?![^$]*\$)", re.sub(r"\$[^$]*\$", "", outside))
    return rows
