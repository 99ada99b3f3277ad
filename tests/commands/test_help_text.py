from __future__ import annotations

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fascnet.commands.config import compose_config, find_config_dir
from fascnet.commands.help_text import describe_keys


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A verb with one group in its own place, which is made of others, and one in another place."""
    write(
        tmp_path / "bake.yaml",
        "# Bakes.\ndefaults:\n  - _self_\n  - cake: plain\n  - oven/heat@warmth: low\n\n"
        "# Where to.\noutput: ???\n",
    )
    write(
        tmp_path / "cake/plain.yaml",
        "# A cake for every day.\ndefaults:\n  - base\n  - dough: light\n  - _self_\n\n"
        "# Layers, 1-9.\nlayers: 3\n",
    )
    write(
        tmp_path / "cake/base.yaml",
        "# Layers, 1-9.\nlayers: 1\n# Icing.\nicing:\n  # Its colour.\n  colour: red\n"
        "  # Its depth in mm.\n  depth_mm: [1, 2]\n",
    )
    write(
        tmp_path / "cake/dough/heavy.yaml",
        "# Heavy dough.\n# Eggs, 0-9.\neggs: 4\n# Flour in g.\nflour_g: 500\n",
    )
    write(
        tmp_path / "cake/dough/light.yaml",
        "# Light dough.\ndefaults:\n  - heavy\n  - _self_\n\n# Eggs, 0-9.\neggs: 2\n",
    )
    write(
        tmp_path / "cake/global.yaml",
        "# @package _global_\n# Sets all.\ndefaults:\n  - _self_\n# O.\noutput: x\n",
    )
    write(tmp_path / "oven/heat/low.yaml", "# Degrees.\ndegrees: 150\n")
    return tmp_path


def test_shows_the_file_itself_first(tree: Path) -> None:
    assert describe_keys(tree, "bake").startswith((tree / "bake.yaml").read_text(encoding="utf-8").strip())


def test_shows_each_key_once_with_its_final_value(tree: Path) -> None:
    shown = describe_keys(tree, "bake")
    for line in (
        "cake.layers: 3",
        "cake.icing.colour: red",
        "cake.icing.depth_mm: [1, 2]",
        "cake.dough.eggs: 2",
        "cake.dough.flour_g: 500",
        "warmth.degrees: 150",
    ):
        assert shown.splitlines().count(line) == 1, line
    assert "layers: 1" not in shown and "eggs: 4" not in shown


def test_comments_stand_above_their_keys(tree: Path) -> None:
    lines = describe_keys(tree, "bake").splitlines()
    for comment, key in (
        ("# Layers, 1-9.", "cake.layers: 3"),
        ("# Its depth in mm.", "cake.icing.depth_mm: [1, 2]"),
        ("# Eggs, 0-9.", "cake.dough.eggs: 2"),
        ("# Degrees.", "warmth.degrees: 150"),
    ):
        assert lines[lines.index(key) - 1] == comment


def test_names_groups_as_they_are_typed_with_their_options(tree: Path) -> None:
    lines = describe_keys(tree, "bake").splitlines()
    assert "# cake=… is one of: base, global, plain" in lines
    assert "# with cake=plain: A cake for every day." in lines
    assert "# cake/dough=… is one of: heavy, light" in lines
    assert "# with cake/dough=light: Light dough." in lines
    assert "# oven/heat@warmth=… is one of: low" in lines


def test_a_first_line_that_is_a_key_s_comment_is_no_title(tree: Path) -> None:
    lines = describe_keys(tree, "bake").splitlines()
    assert "# with oven/heat@warmth=low" in lines


def test_where_a_file_belongs_is_of_no_use_to_a_user(tree: Path) -> None:
    text = (tree / "bake.yaml").read_text(encoding="utf-8")
    write(tree / "bake.yaml", text.replace("cake: plain", "cake: global"))
    shown = describe_keys(tree, "bake")
    assert "# with cake=global: Sets all." in shown
    assert "@package" not in shown


def test_a_file_of_one_line_is_no_fault(tree: Path) -> None:
    write(tree / "oven/heat/low.yaml", "degrees: 1")
    assert "warmth.degrees: 1" in describe_keys(tree, "bake")


REQUIRED = {
    "phantom": ["output=x"],
    "phantom card": ["output=x"],
    "implant": ["input=x", "output=x"],
    "train": ["data.root=x", "output=x"],
    "predict": ["input=x", "output=x"],
}


@pytest.mark.parametrize("verb", REQUIRED)
def test_shows_the_values_that_hydra_composes(verb: str) -> None:
    """Help reads the files as text; what it says about a group must be what a run gets."""
    config = OmegaConf.create(compose_config(verb, REQUIRED[verb]))
    shown = describe_keys(find_config_dir(), verb.replace(" ", "_"))
    in_groups = shown.split("=… is one of: ", 1)[1]
    found = re.findall(r"^([a-z_0-9]+(?:\.[a-z_0-9]+)+): *([^#\n]*)", in_groups, flags=re.MULTILINE)
    assert len(found) > 3
    for key, value in found:
        if "$" not in value and value != "???":
            assert OmegaConf.select(config, key) == OmegaConf.create(f"v: {value}").v, key


def test_every_key_of_a_phantom_is_shown() -> None:
    config = compose_config("phantom", ["output=x"])["phantom"]
    shown = describe_keys(find_config_dir(), "phantom").splitlines()
    for group, values in config.items():
        for key in values if isinstance(values, dict) else [""]:
            name = f"phantom.{group}.{key}".rstrip(".")
            assert sum(line.startswith(f"{name}: ") for line in shown) == 1, name
