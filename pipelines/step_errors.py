"""How a run ends when one of its steps does not end well."""

from components.contracts.errors import PedigreeError


class StepFailedError(PedigreeError):
    """A step ended with a line for the user."""


class StepFaultError(Exception):
    """A step ended by a fault of our own; its traceback is in the run's log."""
