"""`fascnet study-design`: how many subjects a study needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from fascnet.evaluation.planning.plan import StudyPlan
    from fascnet.evaluation.planning.question import StudyQuestion

MORE = "–"
"""Printed where more subjects are needed than were tried."""


def run(config: dict[str, Any]) -> int:
    """Answer the question of `configs/study_design.yaml`.

    Args:
        config: the resolved configuration; its keys but `output` are fields of `StudyQuestion`.

    Returns:
        0.

    Raises:
        FascnetError: a wrong setting, pilot or output.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` must be instant

    from fascnet.errors import SettingError  # noqa: PLC0415
    from fascnet.evaluation.planning.plan import make_plan  # noqa: PLC0415
    from fascnet.evaluation.planning.plan_files import write_plan  # noqa: PLC0415

    output = config["output"]
    if output is not None and not isinstance(output, str):
        raise SettingError(f"study-design: output={output} must be a folder or null")
    try:
        question = read_question(config)
        with Console(stderr=True).status("simulating") as status:
            show = status.update if sys.stderr.isatty() else _ignore
            plan = make_plan(question, lambda n: show(f"simulating studies of {n} subjects"))
    except SettingError as error:
        raise SettingError(f"study-design: {error}") from error
    _print_plan(plan)
    if output is not None:
        print(f"study-design: {write_plan(plan, Path(output))[0]}")
    return 0


def read_question(config: Mapping[str, Any]) -> StudyQuestion:
    """Turn the configuration into a question.

    Raises:
        SettingError: a value has another type than its field, or is out of range.
    """
    from fascnet.evaluation.planning.question import NonInferiorityQuestion, StudyQuestion  # noqa: PLC0415

    own = {key: config[key] for key in config if key not in {"output", "non_inferiority"}}
    nested = dict(config["non_inferiority"])
    _check_types(StudyQuestion, own, "")
    _check_types(NonInferiorityQuestion, nested, "non_inferiority.")
    pilot = own.pop("pilot")
    return StudyQuestion(
        **own,
        pilot=None if pilot is None else Path(pilot),
        non_inferiority=NonInferiorityQuestion(**nested),
    )


def _check_types(kind: type, values: Mapping[str, Any], prefix: str) -> None:
    from typing import get_type_hints  # noqa: PLC0415

    from fascnet.commands.argument_types import describe_type, fits  # noqa: PLC0415
    from fascnet.errors import SettingError  # noqa: PLC0415

    for key, hint in get_type_hints(kind).items():
        if key in values and not fits(values[key], hint):
            raise SettingError(f"{prefix}{key}={values[key]} must be {describe_type(hint)}")


def _ignore(_: str) -> None:
    """Show nothing: nobody watches."""


def _print_plan(plan: StudyPlan) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    console = Console(highlight=False)
    question = plan.question
    units = {"per_subject": f" {question.unit}"}
    facts = [
        f"{name} {fact if isinstance(fact, str) else _number(fact)}{units.get(name, '')}"
        for name, fact in plan.basis.items()
    ]
    console.print(escape(f"{question.figure}: {', '.join(facts)}"))
    if question.subjects is None:
        if plan.widths:
            console.print(_tabulate_search(plan))
    else:
        console.print(_tabulate_sizes(plan))
    wanted = question.non_inferiority
    if wanted.margin is not None:
        if question.subjects is not None:
            console.print(_tabulate_powers(plan))
        found = plan.power_subjects
        tried = question.most_subjects if question.subjects is None else max(question.subjects)
        answer = (
            f"more than {tried} subjects"
            if found is None
            else f"{found} subjects ({question.recruit(found)} to recruit)"
        )
        console.print(
            f"no worse by {wanted.margin:g}, shown in {100 * wanted.power:g} % of studies: {answer}"
        )
    for warning in plan.warnings:
        console.print(f"note: {escape(warning)}")


def _tabulate_search(plan: StudyPlan) -> Table:
    question = plan.question
    table = _start_table(
        f"subjects for a 95 % interval of {question.figure}",
        ("width", "on average", "to recruit", "in 9 of 10 studies", "to recruit"),
    )
    for answer in plan.widths:
        cells = [f"{answer.width:g}"]
        for n in (answer.expected, answer.assured):
            over = f"> {question.most_subjects}"
            cells += [over, MORE] if n is None else [str(n), str(question.recruit(n))]
        table.add_row(*cells)
    return table


def _tabulate_sizes(plan: StudyPlan) -> Table:
    table = _start_table(
        f"width of the 95 % interval of {plan.question.figure}",
        ("subjects", "on average", "9 of 10 studies within", "closed form", "studies with an interval"),
    )
    for row in plan.tried_widths:
        table.add_row(
            str(row.subjects),
            _number(row.expected_width),
            _number(row.width_90),
            _number(plan.closed_form.get(row.subjects)),
            f"{100 * row.defined_share:.0f} %",
        )
    return table


def _tabulate_powers(plan: StudyPlan) -> Table:
    table = _start_table(
        f"studies that show {plan.question.figure} no worse by {plan.question.non_inferiority.margin:g}",
        ("subjects", "share", "±"),
    )
    for row in plan.tried_powers:
        table.add_row(str(row.subjects), f"{row.power:.3f}", f"{1.96 * row.standard_error:.3f}")
    return table


def _start_table(title: str, columns: tuple[str, ...]) -> Table:
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _number(value: float | None) -> str:
    return MORE if value is None else f"{value:.3g}"
