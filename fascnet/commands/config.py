"""Finds the Hydra tree and composes a verb's configuration; Hydra is imported in `commands/` alone."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from fascnet.commands.argument_types import check_arguments
from fascnet.errors import FascnetError, SettingError


def find_config_dir() -> Path:
    """Return the folder of the Hydra tree: inside an installed wheel, else beside the package in a checkout.

    `pkg://` and relative paths fail in console scripts of one or another install form; an absolute folder
    works in all.
    """
    inside = Path(str(files("fascnet") / "configs"))
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "configs"


def name_module(verb: str) -> str:
    """Return the name that a verb has as a module, a script and a configuration."""
    return verb.replace(" ", "_").replace("-", "_")


def compose_config(verb: str, overrides: list[str]) -> dict[str, Any]:
    """Compose `configs/VERB.yaml` with command-line overrides into a plain, resolved dict.

    Args:
        verb: as it is typed; the primary config has its name, with `_` for a space.
        overrides: Hydra overrides as typed, such as `data.root=clinic` or `trainer=gpu`.

    Raises:
        SettingError: a key is misspelt, a group or file does not exist, a value does not parse, or a key that
            has no default was not given; one line that names it.
    """
    # Imported here, because `--help` must not pay for Hydra.
    from hydra import compose, initialize_config_dir  # noqa: PLC0415
    from hydra.errors import HydraException  # noqa: PLC0415
    from omegaconf import OmegaConf, open_dict  # noqa: PLC0415
    from omegaconf.errors import OmegaConfBaseException  # noqa: PLC0415

    try:
        with initialize_config_dir(config_dir=str(find_config_dir()), version_base="1.3"):
            name = name_module(verb)
            config = compose(config_name=name, overrides=overrides, return_hydra_config=True)
            choices = config.hydra.runtime.choices.items()
            with open_dict(config):
                del config["hydra"]
            groups = [f"{group}={chosen}" for group, chosen in choices if _has_own_keys(group) and chosen]
            default = compose(config_name=name, overrides=groups)
            plan = OmegaConf.to_container(default, resolve=False)
        # A key without default means something; null does not.
        empty = {key for key in OmegaConf.missing_keys(default) if OmegaConf.select(config, key) is None}
        missing = sorted(empty | OmegaConf.missing_keys(config))
        if missing:
            raise SettingError(
                f"{verb}: give {', '.join(f'{key}=…' for key in missing)} (see: fascnet {verb} --help)"
            )
        plain = OmegaConf.to_container(config, resolve=True)
        unread = _find_unread(plain, plan)
        if unread is not None:
            raise SettingError(f"{verb}: nothing reads the key '{unread}' (see: fascnet {verb} --help)")
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise SettingError(f"{verb}: {_explain(error, verb)}") from error
    if not isinstance(plain, dict):
        raise SettingError(f"{verb}: the configuration is not a mapping")
    whole = _find_replaced(plain, plan)
    if whole is not None:
        raise SettingError(f"{verb}: {_explain_group(whole, verb)}")
    _check_places(verb, plain)
    return {str(key): value for key, value in plain.items()}


_PLACES = (
    *("input", "output", "labels", "manifest", "model", "predictions", "clip_tables"),
    *("data.root", "data.labels", "data.cache_dir", "real.folder"),
)
"""Keys of all verbs that take files or folders, or several of them."""


def _check_places(verb: str, config: Mapping[Any, Any]) -> None:
    """Refuse a file or folder that Hydra has read as a number or a truth: `1e3` is then 1000.0."""
    for key in _PLACES:
        value: Any = config
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and not one.strip():
                raise SettingError(f"{verb}: {key} is empty; give {key}=FILE or a folder ('.' for this one)")
            if isinstance(one, bool | int | float):
                kind = "truth" if isinstance(one, bool) else "number"
                raise SettingError(
                    f"{verb}: {key}={value} was read as a {kind}; "
                    "write a file or folder of such a name as ./NAME"
                )


def _explain(error: BaseException, verb: str) -> str:
    """Turn a Hydra or OmegaConf error, often several lines of advice to programmers, into one for users."""
    from hydra.errors import OverrideParseException  # noqa: PLC0415

    chain = [str(error)]
    if error.__cause__ is not None:
        chain.append(str(error.__cause__))
    text = " ".join(chain)
    if isinstance(error, OverrideParseException):
        return _explain_override(error.override)
    not_a_key = re.search(r"Key '([^']+)' is not in struct", text)
    wanted = re.search(r"Could not override '([^']+)'", text)
    if not_a_key or wanted:
        key = wanted.group(1) if wanted else (not_a_key.group(1) if not_a_key else "")
        known = _list_keys(verb)
        near = _find_nearest(key, known)
        if key in known:
            return _explain_group(key, verb)
        hint = f"; did you mean '{near}'?" if near else ""
        return f"there is no key '{key}'{hint} (see: fascnet {verb} --help)"
    option = re.search(
        r"Could not find '([^']+)/([^/']+)'\s+Available options in '[^']+':((?:\s+\w+)+?)\s+Config", text
    )
    if option:
        choices = ", ".join(option.group(3).split())
        return f"there is no {option.group(1)}={option.group(2)}; choose one of: {choices}"
    if "Config group override must be a string" in text:
        return (
            f"an override is key=value, and a group takes a name, not a number (see: fascnet {verb} --help)"
        )
    # Where Hydra looked is of no use to anybody who did not write the tree.
    return " ".join(text.split("Config search path")[0].split())[:300]


def _find_nearest(key: str, known: Sequence[str]) -> str | None:
    """Return the key that was probably meant: of those much alike, the one whose last part is most alike."""
    alike = difflib.get_close_matches(key, known, n=5, cutoff=0.5)
    last = key.rpartition(".")[2]
    return max(
        alike,
        key=lambda one: difflib.SequenceMatcher(None, one.rpartition(".")[2], last).ratio(),
        default=None,
    )


def _explain_group(key: str, verb: str) -> str:
    return f"'{key}' holds keys of its own; give {key}.KEY=… (see: fascnet {verb} --help)"


def _explain_override(override: str) -> str:
    """Say what is wrong with an override that Hydra's grammar does not know."""
    key, equals, value = override.partition("=")
    if not equals or key.startswith("-"):
        return f"'{override}' is no setting; settings are KEY=VALUE, such as input=clip.mp4"
    quoted = value.replace('"', '\\"')
    return f"'{override}' cannot be read; put the value in quotes of its own: '{key}=\"{quoted}\"'"


def _has_own_keys(group: str) -> bool:
    """Say whether a group's files define keys; an experiment only changes those of others."""
    return group != "experiment" and not group.startswith("hydra/")


def _find_unread(given: object, plan: object, prefix: str = "") -> str | None:
    """Find a key that came in through `+key=…` or an experiment, which Hydra lets pass; None if none did.

    Nodes with `_target_` are left to `instantiate_node`: their keys are another object's arguments.
    """
    if not isinstance(given, dict) or not isinstance(plan, dict) or "_target_" in given:
        return None
    for key, child in given.items():
        unread = f"{prefix}{key}" if key not in plan else _find_unread(child, plan[key], f"{prefix}{key}.")
        if unread is not None:
            return unread
    return None


def _find_replaced(given: object, plan: object, prefix: str = "") -> str | None:
    """Find a key whose own keys were all replaced by one value; None if none were.

    Nodes with `_target_` are left to their verbs: some may be null, and that says what to write instead.
    """
    if not isinstance(given, dict) or not isinstance(plan, dict) or "_target_" in plan:
        return None
    for key in plan.keys() & given.keys():
        child, value = plan[key], given[key]
        replaced = _find_replaced(value, child, f"{prefix}{key}.")
        if isinstance(child, dict) and child and "_target_" not in child and not isinstance(value, dict):
            replaced = f"{prefix}{key}"
        if replaced is not None:
            return replaced
    return None


def _list_keys(verb: str) -> list[str]:
    """List every dotted key of a verb's default configuration."""
    from hydra import compose, initialize_config_dir  # noqa: PLC0415
    from omegaconf import OmegaConf  # noqa: PLC0415

    with initialize_config_dir(config_dir=str(find_config_dir()), version_base="1.3"):
        tree = OmegaConf.to_container(compose(config_name=name_module(verb)), resolve=False)

    def walk(node: object, prefix: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        keys = [f"{prefix}{key}" for key in node]
        return keys + [k for name, child in node.items() for k in walk(child, f"{prefix}{name}.")]

    return walk(tree, "")


def instantiate_node(node: dict[str, Any], where: str) -> Any:
    """Build the object that a config node with `_target_` describes; its other keys are arguments.

    Args:
        node: the resolved node.
        where: its place in the configuration, for messages.

    Raises:
        SettingError: the target does not exist, a key is not one of its arguments, or a value is of another
            type.
    """
    import inspect  # noqa: PLC0415

    from hydra.errors import HydraException  # noqa: PLC0415
    from hydra.utils import instantiate  # noqa: PLC0415

    if not isinstance(node, dict) or "_target_" not in node:
        raise SettingError(f"{where}={node} must be a node with _target_; see configs/{where}")
    check_arguments(node, where)
    name = node["_target_"]
    try:
        # First bound, then called: a wrong argument is the user's, a TypeError from inside is a fault of
        # ours.
        maker = instantiate(node, _partial_=True, _convert_="all")
        inspect.signature(maker.func).bind(*maker.args, **maker.keywords)
    except HydraException as error:
        cause = error.__cause__ if error.__cause__ is not None else error
        what = "" if isinstance(cause, FascnetError) else f"'{name}' cannot be built: "
        raise SettingError(f"{where}: {what}{' '.join(str(cause).split())}") from error
    except TypeError as error:
        raise SettingError(f"{where}: '{name}': {error}") from error
    return maker()
