"""What pedigree tells a user who asked for something impossible.

    PedigreeError         one line for the user, no traceback; exit code 2
    ├── InputError        a parameter, a dataset or a folder is not as it must be
    └── ContractError     a file that one step left for another is missing, damaged or of another version

Any other exception is a fault of our own, and keeps its traceback.
"""


class PedigreeError(Exception):
    """The message names what was received and what is wanted, in one line."""


class InputError(PedigreeError):
    """A parameter, a dataset or a folder is not as it must be."""


class ContractError(PedigreeError):
    """A file that one step left for another is missing, damaged or of another version."""
