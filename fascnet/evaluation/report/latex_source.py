r"""One table as LaTeX source: booktabs, nothing else; escaped names; cells with lines below their value."""

from __future__ import annotations

from collections.abc import Sequence

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # The name of a plain quotation mark exists in some font encodings only.
    '"': "''",
    # After `\\` a bracket would be read as an argument.
    "[": "{[}",
    "]": "{]}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "µ": r"$\mu$",
    "μ": r"$\mu$",
    "−": "$-$",
    "°": r"$^\circ$",
    "²": "$^2$",
    "κ": r"$\kappa$",
    "–": "--",
    "…": r"\dots{}",
}

MAX_ROWS = 18
"""Of two or three lines each: more do not fit a page."""

Cell = tuple[str, ...]
"""A value and what stands below it, as LaTeX source."""

Row = tuple[str, list[str], list[Cell]]
"""A label, plain cells, and cells with lines below, as LaTeX source."""

_HEAD = "% Written by fascnet benchmark. Needs \\usepackage{booktabs}."
_UNICODE = " A name holds letters beyond Latin: compile with lualatex or xelatex."
_LAST_LATIN = 0x17F
"""Latin Extended-A: what every LaTeX since 2018 reads by itself."""


def escape(text: str) -> str:
    """Escape a name so that LaTeX prints it as it is."""
    return "".join(_ESCAPES.get(letter, " " if letter.isspace() else letter) for letter in text)


def quote(name: str) -> str:
    """Escape a name and put it between quotation marks."""
    return f"``{escape(name)}''"


def format_table(name: str, caption: str, head: Sequence[str], rows: Sequence[Row]) -> str:
    r"""Format a table; a long one in parts, of which the first has caption and label.

    Args:
        name: of the label, `tab:fascnet-NAME`.
        caption: as LaTeX source.
        head: titles of the columns, as plain text.
        rows: may be none: then there is no table, and the text is empty.
    """
    parts = [rows[k : k + MAX_ROWS] for k in range(0, len(rows), MAX_ROWS)]
    texts = []
    for number, part in enumerate(parts):
        label = "" if number else f"\\label{{tab:fascnet-{name}}}\n"
        above = caption if number == 0 else f"The table before, continued ({number + 1} of {len(parts)})."
        texts.append(_format_part(above, label, head, part))
    return "\n".join(texts)


def _format_part(caption: str, label_line: str, head: Sequence[str], rows: Sequence[Row]) -> str:
    columns = "l" + "r" * (len(head) - 1)
    lines = []
    for number, (label, plain, cells) in enumerate(rows):
        gap = r" \addlinespace" if number + 1 < len(rows) else ""
        depth = max(1, *(len(cell) for cell in cells))
        for level in range(depth):
            start = [label, *plain] if level == 0 else ["", *("" for _ in plain)]
            texts = [cell[level] if level < len(cell) else "" for cell in cells]
            lines.append(f"{' & '.join([*start, *texts])} \\\\{gap if level + 1 == depth else ''}")
    body = "\n".join(lines)
    head_line = " & ".join(escape(title) for title in head)
    beyond = any(ord(letter) > _LAST_LATIN for letter in body + caption)
    return (
        f"{_HEAD}{_UNICODE if beyond else ''}\n"
        "\\begin{table*}\n\\centering\n\\footnotesize\n\\setlength{\\tabcolsep}{4pt}\n"
        f"\\caption{{{caption}}}\n{label_line}"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{head_line} \\\\\n\\midrule\n{body}\n\\bottomrule\n"
        "\\end{tabular}\n\\end{table*}\n"
    )


def write_cell(value: float | None, interval: tuple[float, float] | None, p: float | None = None) -> Cell:
    """Write a value, its interval below it, and a p value below that; a dash for what is not defined."""
    if value is None:
        return ("--",)
    cell = [_write_number(value)]
    if interval is not None:
        low, high = (_write_number(limit) for limit in interval)
        # `to`, not a dash: limits can be negative.
        cell.append(rf"{{\scriptsize {low} to {high}}}")
    if p is not None:
        shown = "$p<0.001$" if p < 0.001 else f"$p={p:.3f}$"
        cell.append(rf"{{\scriptsize {shown}}}")
    return tuple(cell)


def _write_number(value: float) -> str:
    text = f"{value:.2f}"
    text = "0.00" if text == "-0.00" else text
    return text.replace("-", "$-$")
