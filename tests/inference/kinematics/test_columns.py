from __future__ import annotations

from fascnet.inference.kinematics.columns import KINEMATIC_COLUMNS, list_kinematics, make_kinematics
from fascnet.types import Kinematics, Point

FULL = Kinematics(0.9, 1.25, 1.3, 0.05, 0.04, 0.2, 0.3, 6.5, 0.6, 20.0, 80.0, Point(3.5, 4.25))


def test_every_field_has_its_column():
    cells = dict(zip(KINEMATIC_COLUMNS, list_kinematics(FULL), strict=True))
    assert cells["peak_velocity_mm_per_s"][0] == 6.5
    assert (cells["epicentre_x_px"][0], cells["epicentre_y_px"][0]) == (3.5, 4.25)
    assert make_kinematics({name: value for name, (value, _) in cells.items()}) == FULL


def test_not_measured_is_empty_and_comes_back_as_none():
    cells = dict(zip(KINEMATIC_COLUMNS, list_kinematics(None), strict=True))
    assert all(value is None for value, _ in cells.values())
    assert make_kinematics({name: value for name, (value, _) in cells.items()}) is None


def test_a_quality_alone_is_kept():
    cells = dict(zip(KINEMATIC_COLUMNS, list_kinematics(Kinematics(0.0)), strict=True))
    assert make_kinematics({name: value for name, (value, _) in cells.items()}) == Kinematics(0.0)
