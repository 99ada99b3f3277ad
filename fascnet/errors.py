"""Errors that a user can act on. Each message is one line that names the file or key and says what to do."""


class FascnetError(Exception):
    """Base of every error a user can cause and mend. A command prints it as one line; exit code 2."""


class RecordingError(FascnetError):
    """A recording cannot be opened or decoded."""


class LabelError(FascnetError):
    """A label file does not follow `fascnet-labels/1` or contradicts its clip."""


class ManifestError(FascnetError):
    """A manifest is unreadable or contradicts itself."""


class SplitError(FascnetError):
    """A subject stands in more than one split, or a split that is needed is empty."""


class ModelFileError(FascnetError):
    """A model file is missing, damaged or of another format version."""


class DeviceError(FascnetError):
    """The device that was asked for is not there."""


class OutputError(FascnetError):
    """An output cannot be written."""


class SettingError(FascnetError):
    """A setting is misspelt or outside its range."""
